import { describe, expect, test } from '@jest/globals';
import {
  asOutcome,
  ERROR_CODES,
  isErrorCode,
  problemOf,
  ServiceError,
  statusOf,
  titleOf,
  toProblem,
} from '../../src/errors.ts';

describe('the table of errors', () => {
  test.each(ERROR_CODES)('gives the code %s a snake-case name, an error status and a title for people', (code) => {
    expect(code).toMatch(/^[a-z]+(_[a-z0-9]+)*$/);
    expect(statusOf(code)).toBeGreaterThanOrEqual(400);
    expect(statusOf(code)).toBeLessThan(600);
    expect(titleOf(code)).toMatch(/^[A-Z][^.]+$/);
  });

  test('accepts only its own codes', () => {
    expect([isErrorCode('upload_gone'), isErrorCode('ENOENT'), isErrorCode('constructor'), isErrorCode('')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('has the statuses that the contract names', () => {
    const named = {
      unsupported_media_type: 415,
      upload_cancelled: 410,
      upload_discarded: 410,
      upload_gone: 410,
      unknown_upload: 404,
      method_not_allowed: 405,
      upload_too_slow: 408,
      upload_conflict: 409,
      file_too_large: 413,
      too_many_held: 503,
      too_many_held_by_address: 429,
    } as const;
    for (const [code, status] of Object.entries(named))
      expect([code, statusOf(code as keyof typeof named)]).toEqual([code, status]);
  });
});

describe('the problem of an error', () => {
  test('has the members of RFC 9457 and of the contract', () => {
    expect(toProblem(new ServiceError('upload_gone', 'Gone.', { id: 'x' }))).toEqual({
      type: '/problems/upload_gone',
      title: 'Upload gone',
      status: 410,
      detail: 'Gone.',
      code: 'upload_gone',
      id: 'x',
    });
    expect(problemOf('upload_gone', 'Gone.')).not.toHaveProperty('id');
  });

  test('has state and final if it is the outcome of an upload', () => {
    const error = new ServiceError('picture_damaged', 'No.', {
      retryAfterMs: 5,
      headers: { Allow: 'GET' },
      cause: 'secret',
    });
    const outcome = asOutcome(error, 'x', 'failed');
    expect(toProblem(outcome)).toMatchObject({
      code: 'picture_damaged',
      detail: 'No.',
      id: 'x',
      state: 'failed',
      final: true,
    });
    expect([outcome.retryAfterMs, outcome.headers, outcome.cause]).toEqual([5, { Allow: 'GET' }, 'secret']);
  });

  test('names the quota that is used up', () => {
    const error = new ServiceError('quota_exceeded', 'Full.', { limit: 'waiting', retryAfterMs: 5 });
    expect(toProblem(error)).toMatchObject({ code: 'quota_exceeded', status: 429, limit: 'waiting' });
    expect(toProblem(asOutcome(error, 'x', 'failed'))).toMatchObject({ limit: 'waiting', final: true });
  });

  test('never contains the cause', () => {
    const error = new ServiceError('internal_error', 'Wrong.', { cause: new Error('secret') });
    expect(JSON.stringify(toProblem(error))).not.toContain('secret');
  });
});
