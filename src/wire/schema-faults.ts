import type { z } from 'zod';

/** The names of types in messages. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

/** Units of lengths. Numbers have none. */
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

/**
 * Says what is wrong with a value of JSON. The text follows the name of the value, such as `is missing` or
 * `must be at least 1`, and contains nothing of the value. Pass it to zod as `error` of a parse; messages of a schema
 * have priority.
 */
export function faultOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `must ${measure(issue.origin)} at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `must ${measure(issue.origin)} at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'unrecognized_keys':
      return `has the unknown member ${issue.keys.join(', ')}`;
    case 'invalid_key':
      return `is a wrong name: it ${issue.issues[0]?.message ?? 'is not allowed'}`;
    default:
      return 'is wrong';
  }
}

function measure(origin: string): string {
  return origin in UNITS ? 'have' : 'be';
}
