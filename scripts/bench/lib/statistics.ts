import type { Moment } from './shared-clock.ts';

/** Of unsorted values, by nearest rank; `fraction` 0 to 1. NaN of none. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/**
 * The median of the ratios of values that were taken next to each other: a load that comes and goes
 * weighs on both, and leaves the ratio as it is.
 */
export function medianRatio(values: readonly number[], references: readonly number[]): number {
  return median(values.map((value, index) => value / (references[index] ?? Number.NaN)));
}

/** Microseconds from each creation to its reading. Throws where one was never read. */
export function latenciesUs(created: readonly Moment[], read: readonly Moment[]): number[] {
  const readAtUs = new Map(read.map((moment) => [keyOf(moment), moment.atUs]));
  return created.map((moment) => {
    const atUs = readAtUs.get(keyOf(moment));
    if (atUs === undefined) throw new Error(`version ${moment.version} of upload ${moment.slot} was never read`);
    return atUs - moment.atUs;
  });
}

function keyOf({ slot, version }: Moment): string {
  return `${slot}/${version}`;
}
