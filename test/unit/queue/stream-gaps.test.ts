import { describe, expect, test } from '@jest/globals';
import { EVENT_STREAM_LENGTH } from '../../../src/queue/contract.ts';
import { StreamGaps } from '../../../src/queue/stream-gaps.ts';

/** Reads entries with ids `<first>-0` to `<last>-0`. */
function readEntries(gaps: StreamGaps, first: number, last: number): boolean {
  return gaps.read(last - first + 1, `${last}-0`);
}

const at = (entry: number, added: number | undefined = entry) => ({ lastId: `${entry}-0`, added });

describe('entries that were trimmed unread', () => {
  test('are detected if a read returns all that the stream keeps', () => {
    const gaps = new StreamGaps(at(5));
    expect(readEntries(gaps, 6, 1000)).toBe(false);
    expect(readEntries(gaps, 1001, 1000 + EVENT_STREAM_LENGTH)).toBe(true);
    expect(readEntries(gaps, 20_000, 20_001)).toBe(false);
  });

  test('are detected once if a reader reaches the end with too few entries', () => {
    const gaps = new StreamGaps(at(5));
    readEntries(gaps, 6, 8);
    expect(gaps.missedUpTo(at(8))).toBe(false);
    readEntries(gaps, 12, 13);
    expect(gaps.missedUpTo(at(13))).toBe(true);
    readEntries(gaps, 14, 14);
    expect(gaps.missedUpTo(at(14))).toBe(false);
  });

  test('are detected once for each newest entry if a reader stands still while the stream grows', () => {
    const gaps = new StreamGaps(at(5));
    expect([at(5), at(9), at(9), at(9), at(12), at(12)].map((position) => gaps.missedUpTo(position))).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  test('are not reported while the reader advances', () => {
    const gaps = new StreamGaps(at(5));
    expect(gaps.missedUpTo(at(9))).toBe(false);
    readEntries(gaps, 6, 8);
    expect(gaps.missedUpTo(at(9))).toBe(false);
    readEntries(gaps, 9, 9);
    expect(gaps.missedUpTo(at(9))).toBe(false);
  });

  test('are reported if the stream has vanished or starts again', () => {
    const gaps = new StreamGaps(at(5));
    expect([at(0), at(0), at(0)].map((position) => gaps.missedUpTo(position))).toEqual([false, true, false]);
    readEntries(gaps, 20, 20);
    expect(gaps.missedUpTo(at(20, 1))).toBe(false);
  });

  test('are detected by other signs if Redis does not count entries', () => {
    const gaps = new StreamGaps({ lastId: '5-0', added: undefined });
    readEntries(gaps, 12, 12);
    expect(gaps.missedUpTo({ lastId: '12-0', added: undefined })).toBe(false);
    expect(readEntries(gaps, 13, 13 + EVENT_STREAM_LENGTH)).toBe(true);
  });
});
