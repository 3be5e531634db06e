import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatheredChunks } from '../../../src/storage/gathered-chunks.ts';

const KIB = 1024;

const MOST_CHUNKS = 40;
const MOST_CHUNK_BYTES = 70 * KIB;
const PERIOD = 251;
const NUMBERS = Buffer.alloc(
  MOST_CHUNKS * MOST_CHUNK_BYTES + PERIOD,
  Buffer.from(Array.from({ length: PERIOD }, (_, index) => index)),
);

/** Returns bytes that show their position, so that a wrong order is noticed. */
function numbered(length: number, from: number): Buffer {
  return NUMBERS.subarray(from % PERIOD, (from % PERIOD) + length);
}

describe('gathered chunks', () => {
  test('keep the bytes and their order for chunks of any length', () => {
    const lengths = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 4090, max: 4100 }),
        fc.integer({ min: 0, max: MOST_CHUNK_BYTES }),
      ),
      { maxLength: MOST_CHUNKS },
    );
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 50 * KIB }), (chunkLengths, takenAt) => {
        const gathered = new GatheredChunks();
        const taken: Buffer[] = [];
        let sent = 0;
        for (const length of chunkLengths) {
          gathered.add(numbered(length, sent));
          sent += length;
          if (gathered.bytes >= takenAt) taken.push(...gathered.take());
        }
        const left = gathered.bytes;
        const rest = gathered.take();
        expect(Buffer.concat(rest).length).toBe(left);
        expect(Buffer.concat([...taken, ...rest]).equals(numbered(sent, 0))).toBe(true);
      }),
    );
  });

  test('join short chunks', () => {
    const gathered = new GatheredChunks();
    for (let count = 0; count < 200_000; count += 1) gathered.add(Buffer.of(count % 251));
    for (let count = 0; count < 50; count += 1) {
      gathered.add(Buffer.alloc(4 * KIB));
      gathered.add(Buffer.of(1));
    }
    const chunks = gathered.take();
    expect(chunks.length).toBeLessThan(125);
    // Short chunks share their memory.
    expect(new Set(chunks.filter(({ length }) => length < 4 * KIB).map(({ buffer }) => buffer)).size).toBeLessThan(20);
  });

  test('do not copy large chunks', () => {
    const gathered = new GatheredChunks();
    const large = Buffer.alloc(64 * KIB);
    gathered.add(large);
    expect(gathered.take()[0]).toBe(large);
  });

  test('are empty after they were taken', () => {
    const gathered = new GatheredChunks();
    gathered.add(Buffer.of(1));
    gathered.take();
    expect([gathered.bytes, gathered.take()]).toEqual([0, []]);
  });
});
