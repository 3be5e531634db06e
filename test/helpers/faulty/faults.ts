import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import type { Result } from '../../../src/wire/documents.ts';

/**
 * What a faulty processor does with a file, attempt by attempt.
 * `finish`, `publish` (a variant) and go on with the next word, `crash` (abort), `segfault`, `eat` (all memory),
 * `exit`, `spin` (the event loop stands still), `block` (a thread of the pool is never free again),
 * `deaf` (waits and hears no signal), `wait` (for the signal), `refuse` (the file).
 * `with-neighbour` waits until the neighbour has begun as often as this file.
 */
export type Act =
  | 'finish'
  | 'publish'
  | 'crash'
  | 'segfault'
  | 'eat'
  | 'exit'
  | 'spin'
  | 'block'
  | 'deaf'
  | 'wait'
  | 'refuse'
  | 'with-neighbour'
  | 'until-released';

/** One attempt at a file, as its processor has written it down. */
export interface DiaryLine {
  readonly pid: number;
  readonly event: 'began' | 'aborted';
  readonly atMs: number;
}

/** The orders that lie in a file. */
export interface Orders {
  /** Where attempts are written down. */
  readonly diary: string;
  /** Acts of each attempt in order; further attempts do as the last. */
  readonly attempts: readonly (readonly Act[])[];
  /** The diary of the file that `with-neighbour` waits for. */
  readonly neighbour?: string;
}

/** What `finish` comes to. */
export const FAULTY_RESULT: Result = {
  kind: 'picture',
  format: 'jpeg',
  width: 1,
  height: 1,
  frames: 1,
  hasAlpha: false,
  colourSpace: 'srgb',
  orientation: 1,
  takenAt: null,
  camera: null,
  lens: null,
  exposure: null,
  dominantColour: '#000000',
  thumbhash: '',
  perceptualHash: '',
  variants: [],
};

/** As much of a JPEG as its type is told from. */
const HEAD = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);

/** A file that passes for a JPEG and holds orders for a faulty processor. */
export function faultyFile(orders: Orders): Buffer {
  return Buffer.concat([HEAD, Buffer.from(JSON.stringify(orders))]);
}

export function readOrders(path: string): Orders {
  return JSON.parse(readFileSync(path).subarray(HEAD.length).toString()) as Orders;
}

/** Empty where no attempt has begun yet. */
export function readDiary(diary: string): DiaryLine[] {
  if (!existsSync(diary)) return [];
  return readFileSync(diary, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as DiaryLine);
}

/** Processes in which attempts have begun, in order. */
export function pidsOf(diary: string): number[] {
  return readDiary(diary)
    .filter(({ event }) => event === 'began')
    .map(({ pid }) => pid);
}

/** Lets `until-released` go on. */
export function releasePath(diary: string): string {
  return `${diary}.released`;
}
