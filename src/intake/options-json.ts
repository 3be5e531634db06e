import { ServiceError } from '../errors.ts';

/** Several times what the longest options of any kind need; every file of a form keeps them in its record. */
const MAX_LENGTH = 8_192;

/** Deeper than any kind goes; far deeper yet, and what walks through them runs out of stack. */
const MAX_DEPTH = 32;

/**
 * Options as a sender wrote them, not yet checked against a kind. Throws `bad_options` (400).
 * @param where begins the sentence that tells of a mistake.
 */
export function readOptionsJson(json: string, where: string): unknown {
  if (json.length > MAX_LENGTH)
    throw new ServiceError(
      'bad_options',
      `${where} has more than ${MAX_LENGTH} characters. Send what differs from the defaults alone.`,
    );
  let options: unknown;
  try {
    options = JSON.parse(json);
  } catch (error) {
    throw new ServiceError('bad_options', `${where} is not JSON.`, { cause: error });
  }
  if (isDeeperThan(MAX_DEPTH, options))
    throw new ServiceError('bad_options', `${where} is nested deeper than any option is.`);
  return options;
}

function isDeeperThan(levels: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels; depth += 1) {
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}
