import { describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { stringify } from 'node:querystring';
import { requestedTimeoutMs } from '../../../src/http/deferral.ts';

const MAX_MS = 50_000;

function ask(query: Record<string, string | string[]>, prefer = '') {
  const headers = new Map<string, string>();
  const ctx = {
    querystring: stringify(query),
    get: (name: string) => (name === 'Prefer' ? prefer : ''),
    set: (name: string, value: string) => headers.set(name, value),
  };
  return { ms: requestedTimeoutMs(ctx as unknown as Context, MAX_MS), applied: headers.get('Preference-Applied') };
}

describe('the requested hold time', () => {
  test('is undefined without a request', () => {
    expect(ask({})).toEqual({ ms: undefined, applied: undefined });
  });

  test.each([
    ['0', 0],
    ['1', 1],
    ['00250', 250],
    ['50000', 50_000],
    ['50001', 50_000],
    ['9'.repeat(400), 50_000],
  ])('of timeout=%s is %d ms', (timeout, ms) => {
    expect(ask({ timeout })).toEqual({ ms, applied: undefined });
  });

  test.each(['', '-1', '+1', '1.5', '1e3', '0x10', 'abc', ' 1', '1 ', '١', 'Infinity', 'NaN', '1_000'])(
    'cannot be timeout=%j (400)',
    (timeout) => {
      expect(() => ask({ timeout })).toThrow(expect.objectContaining({ code: 'bad_timeout', status: 400 }));
    },
  );

  test('cannot appear twice (400)', () => {
    expect(() => ask({ timeout: ['1', '1'] })).toThrow(expect.objectContaining({ code: 'bad_timeout' }));
  });

  test('of a Prefer is counted in seconds and named in Preference-Applied', () => {
    expect(ask({}, 'respond-async, wait=10')).toEqual({ ms: 10_000, applied: 'wait=10' });
    expect(ask({}, 'wait=0')).toEqual({ ms: 0, applied: 'wait=0' });
  });

  test('of a Prefer is limited, and Preference-Applied names the limit', () => {
    expect(ask({}, 'wait=999999999')).toEqual({ ms: MAX_MS, applied: 'wait=50' });
  });

  test('of the query wins over that of a Prefer, which is not applied then', () => {
    expect(ask({ timeout: '5' }, 'wait=10')).toEqual({ ms: 5, applied: undefined });
  });

  test.each(['wait=x', 'wait', 'respond-async', 'wait=1.5'])(
    'of a malformed or unknown Prefer (%s) is ignored',
    (prefer) => {
      expect(ask({}, prefer)).toEqual({ ms: undefined, applied: undefined });
    },
  );
});
