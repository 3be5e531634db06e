import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { preferredWaitSeconds } from '../../../src/http/prefer.ts';

describe('the wait of a Prefer header', () => {
  test.each([
    // RFC 7240 section 4.3 and the examples of section 2.
    ['wait=10', 10],
    ['respond-async, wait=10', 10],
    ['wait=100, handling=lenient, respond-async', 100],
    ['priority=5, wait=7', 7],
    ['WAIT=5', 5],
    ['Wait = 5', 5],
    ['wait="5"', 5],
    ['wait=5; foo="some parameter"', 5],
    ['return=minimal; foo="some parameter", wait=3', 3],
    ['foo; bar, wait=3', 3],
    ['foo="", wait=0', 0],
    ['  wait=2  ', 2],
    [', ,wait=2,', 2],
    ['wait=2, wait=9', 2],
    ['wait=000000002', 2],
    ['wait=00000000000000000002', 2],
    ['wait=10000000000', 999_999_999],
    [`wait=${'9'.repeat(400)}`, 999_999_999],
  ])('of %j is %d', (header, seconds) => {
    expect(preferredWaitSeconds(header)).toBe(seconds);
  });

  test.each([
    '',
    'respond-async',
    'wait',
    'wait=',
    'wait=""',
    'wait=abc',
    'wait=-1',
    'wait=+1',
    'wait=1.5',
    'wait=1e3',
    'wait=0x10',
    'wait=1 2',
    'wait=5s',
    'wait:5',
    'wait==5',
    'awaiting=5',
    'x-wait=5',
    'wait="5',
    'wait=5"',
    'return=wait',
    'wait=abc, wait=5',
  ])('is undefined in %j', (header) => {
    expect(preferredWaitSeconds(header)).toBeUndefined();
  });

  test('is undefined inside the quotes of another preference', () => {
    expect(preferredWaitSeconds('foo="a, wait=5, b"')).toBeUndefined();
    expect(preferredWaitSeconds('foo=bar; note="x, wait=5, y", wait=7')).toBe(7);
    expect(preferredWaitSeconds('foo="a \\", wait=5, b"')).toBeUndefined();
  });

  test('is a whole number or undefined for any header', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('w', 'wait', '=', '5', ',', ';', '"', '\\', ' ') })),
        (header) => {
          const seconds = preferredWaitSeconds(header);
          expect(seconds === undefined || (Number.isSafeInteger(seconds) && seconds >= 0)).toBe(true);
        },
      ),
    );
  });
});
