import { expect, test } from '@jest/globals';
import { ticketRequestSchema } from '../../../src/wire/access-schemas.ts';
import { faultOf } from '../../../src/wire/schema-faults.ts';

test.each<[string, unknown, string]>([
  ['of another type', [], ' must be an object'],
  ['that is missing', {}, 'expiresIn is missing'],
  ['in quotes', { expiresIn: '60' }, 'expiresIn must be a number'],
  ['that is not whole', { expiresIn: 1.5 }, 'expiresIn must be a whole number'],
  ['that is too small', { expiresIn: 0 }, 'expiresIn must be at least 1'],
  ['that is too large', { expiresIn: 86_401 }, 'expiresIn must be at most 86400'],
  ['with an unknown member', { expiresIn: 1, uplod: {} }, ' has the unknown member uplod'],
  ['with too few entries', { expiresIn: 1, upload: { types: [] } }, 'upload.types must have at least 1 entries'],
  ['outside a list of words', { expiresIn: 1, upload: { lane: 'fast' } }, 'upload.lane must be live or batch'],
  ['with a message of its schema', { expiresIn: 1, upload: { metadata: 1 } }, 'upload.metadata must be an object'],
])('a fault says in words what is wrong with a value %s', (_, body, expected) => {
  const [issue] = ticketRequestSchema.safeParse(body, { error: faultOf }).error?.issues ?? [];
  expect(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`).toBe(expected);
});
