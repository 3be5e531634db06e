import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { flipBits } from './pictures.ts';

/** One change of a file. Places are fractions of its length. */
export type Mutation =
  | { readonly kind: 'flip'; readonly count: number; readonly seed: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly length: number };

const place = fc.noBias(fc.integer({ min: 0, max: 9999 })).map((value) => value / 10_000);
const length = fc.integer({ min: 1, max: 16 });
/** Values at which numbers of formats overflow or change their sign. */
const extreme = fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff);

/** Changes as broken transfers, broken disks and hostile senders make them. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), count: fc.integer({ min: 1, max: 6 }), seed: fc.nat() }),
    fc.record({ kind: fc.constant('cut' as const), at: place }),
    fc.record({
      kind: fc.constant('set' as const),
      at: place,
      bytes: fc.array(extreme, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('remove' as const), at: place, length }),
    fc.record({ kind: fc.constant('repeat' as const), at: place, length }),
    fc.record({ kind: fc.constant('insert' as const), at: place, length }),
  ),
  { minLength: 1, maxLength: 2 },
);

/** Applies changes in order. The first bytes stay, so that the type is usually still recognized. */
export function mutated(original: Buffer, changes: readonly Mutation[], spare: number): Buffer {
  return changes.reduce(
    (bytes, change) => Buffer.concat([original.subarray(0, spare), mutate(bytes, change, spare)]),
    original,
  );
}

function mutate(bytes: Buffer, change: Mutation, spare: number): Buffer {
  const rest = bytes.subarray(spare);
  if (change.kind === 'flip') return flipBits(bytes, change.count, change.seed, spare).subarray(spare);
  const at = Math.floor(change.at * rest.length);
  switch (change.kind) {
    case 'cut':
      return rest.subarray(0, at);
    case 'set': {
      const copy = Buffer.from(rest);
      copy.set(change.bytes.slice(0, copy.length - at), at);
      return copy;
    }
    case 'remove':
      return Buffer.concat([rest.subarray(0, at), rest.subarray(at + change.length)]);
    case 'repeat':
      return Buffer.concat([rest.subarray(0, at + change.length), rest.subarray(at)]);
    case 'insert':
      return Buffer.concat([rest.subarray(0, at), Buffer.alloc(change.length), rest.subarray(at)]);
  }
}
