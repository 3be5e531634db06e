import { expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { ByteLimiter } from '../../../src/intake/byte-limiter.ts';

test('every byte up to the limit passes, the first one over it throws', () => {
  const limiter = new ByteLimiter(10);
  limiter.add(9);
  limiter.add(1);
  limiter.add(0);
  expect(limiter.bytes).toBe(10);
  expect(() => limiter.add(1)).toThrow(expect.objectContaining({ code: 'file_too_large', status: 413 }));
});

test('the refusal says how much is allowed', () => {
  expect(() => new ByteLimiter(10).add(11)).toThrow(
    new ServiceError('file_too_large', 'A file may have at most 10 bytes.'),
  );
});
