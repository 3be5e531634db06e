import type { Moment } from './shared-clock.ts';

/** Returns a percentile of unsorted values by nearest rank; `fraction` is 0 to 1. NaN without values. */
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
 * Returns the median of the ratios of values that were measured one after the other. A temporary load affects both and
 * leaves the ratio unchanged.
 */
export function medianRatio(values: readonly number[], references: readonly number[]): number {
  return median(values.map((value, index) => value / (references[index] ?? Number.NaN)));
}

/** Returns the microseconds from each creation to its reading. Throws if an event was never read. */
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
