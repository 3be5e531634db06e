import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';

/**
 * What a faulty processor does with a file in one attempt: `finish`, `publish` (a variant, then the next act), `crash`
 * (abort), `segfault`, `eat` (all memory), `exit`, `spin` (blocks the event loop), `block` (blocks a thread of the pool
 * for ever), `hang` (waits and ignores the signal), `wait` (for the signal), `refuse` (rejects the file).
 * `with-neighbour` waits until the other file has begun as many attempts as this one.
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
  | 'hang'
  | 'wait'
  | 'refuse'
  | 'with-neighbour'
  | 'until-released';

/** One line that the processor of a file has written about an attempt. */
export interface EventLogLine {
  readonly pid: number;
  readonly event: 'began' | 'aborted';
  readonly atMs: number;
}

/** The content of a file for the faulty processor. */
export interface Orders {
  /** Path of the file to which attempts are written. */
  readonly eventLog: string;
  /** Acts of each attempt in order. Further attempts repeat the last. */
  readonly attempts: readonly (readonly Act[])[];
  /** The event log of the file that `with-neighbour` waits for. */
  readonly neighbour?: string;
}

/** The bytes by which a JPEG is recognized. */
const HEAD = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);

/** Returns a file that is recognized as JPEG and contains acts for a faulty processor. */
export function faultyFile(orders: Orders): Buffer {
  return Buffer.concat([HEAD, Buffer.from(JSON.stringify(orders))]);
}

export function readOrders(path: string): Orders {
  return JSON.parse(readFileSync(path).subarray(HEAD.length).toString()) as Orders;
}

/** Reads the event log. It is empty before the first attempt. */
export function readEventLog(eventLog: string): EventLogLine[] {
  if (!existsSync(eventLog)) return [];
  return readFileSync(eventLog, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EventLogLine);
}

/** Returns the processes in which attempts have begun, in order. */
export function pidsOf(eventLog: string): number[] {
  return readEventLog(eventLog)
    .filter(({ event }) => event === 'began')
    .map(({ pid }) => pid);
}

/** Returns the path of the file that ends `until-released`. */
export function releasePath(eventLog: string): string {
  return `${eventLog}.released`;
}
