import type { CommonOptions } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';

/** The numeric options of all parts. */
export const SCALE_DEFAULTS = {
  rounds: 3,
  held: 960,
  rate: 500,
  unwanted: 10_000,
  seconds: 4,
  stall: 2,
  uploads: 3000,
  connections: 64,
  photos: 300,
  tenants: 1000,
  waiting: 100_000,
};

/** The numbers of `--quick`. */
export const SCALE_QUICK = {
  rounds: 1,
  held: 240,
  unwanted: 1000,
  seconds: 1,
  uploads: 300,
  photos: 40,
  tenants: 50,
  waiting: 2000,
};

/** The options of the parts. */
export type ScaleOptions = typeof SCALE_DEFAULTS & CommonOptions;

/** A part of the benchmark. */
export interface Part {
  readonly name: string;
  /** One line about what it measures. */
  readonly summary: string;
  /** Measures with a new Redis and resolves with its tables. */
  run(session: Session, options: ScaleOptions): Promise<string>;
}
