import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isOnScreen } from '../../../src/page/dom.ts';

beforeAll(() => void Object.assign(globalThis, { innerHeight: 800 }));
afterAll(() => void Reflect.deleteProperty(globalThis, 'innerHeight'));

/** Makes an element with a height of 100 px. */
function elementAt(top: number, checkVisibility?: () => boolean): Element {
  const getBoundingClientRect = () => ({ top, bottom: top + 100 });
  return { getBoundingClientRect, ...(checkVisibility && { checkVisibility }) } as unknown as Element;
}

describe('isOnScreen', () => {
  test.each([
    [-100, false],
    [-99, true],
    [799, true],
    [800, false],
  ])('compares the place with the window if the browser has no checkVisibility (%i: %s)', (top, expected) => {
    expect(isOnScreen(elementAt(top))).toBe(expected);
  });

  test('is false for an element in a block that the browser skips', () => {
    expect([true, false].map((isVisible) => isOnScreen(elementAt(0, () => isVisible)))).toEqual([true, false]);
  });
});
