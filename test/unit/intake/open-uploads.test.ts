import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { OpenUploads } from '../../../src/intake/open-uploads.ts';

function refusal(enter: () => unknown): ServiceError | undefined {
  try {
    enter();
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

function codeOf(enter: () => unknown): string | undefined {
  return refusal(enter)?.code;
}

describe('bodies under way', () => {
  test('are bounded for one address, and a release makes room', () => {
    const open = new OpenUploads({ maxOpen: 0, maxOpenPerAddress: 2 });
    const leave = open.enter('a');
    open.enter('a');
    expect(codeOf(() => open.enter('a'))).toBe('too_many_uploads_by_address');
    expect(codeOf(() => open.enter('b'))).toBeUndefined();
    leave();
    expect(codeOf(() => open.enter('a'))).toBeUndefined();
  });

  test('are bounded in all, whatever their address', () => {
    const open = new OpenUploads({ maxOpen: 2, maxOpenPerAddress: 0 });
    const leaves = [open.enter('a'), open.enter('b')];
    expect(codeOf(() => open.enter('c'))).toBe('too_many_uploads');
    leaves[0]?.();
    expect(codeOf(() => open.enter('c'))).toBeUndefined();
  });

  test('have no bound where the limits are 0', () => {
    const open = new OpenUploads({ maxOpen: 0, maxOpenPerAddress: 0 });
    for (let count = 0; count < 1000; count += 1) expect(codeOf(() => open.enter('a'))).toBeUndefined();
  });

  test('are refused with a time to come back', () => {
    const open = new OpenUploads({ maxOpen: 1, maxOpenPerAddress: 0 });
    open.enter('a');
    const refused = refusal(() => open.enter('b'));
    expect([refused?.status, refused?.retryAfterMs]).toEqual([503, 2000]);
  });
});
