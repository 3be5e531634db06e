import type { FailureCount, ProcessReport, RecentHour } from '../wire/documents.ts';

const MINUTES = 60;
const SHOWN_EXAMPLES = 3;

/** Adds up the minutes of all processes. */
export function sumOfHours(processes: readonly ProcessReport[]): RecentHour {
  const sum = (name: keyof RecentHour): number[] =>
    Array.from({ length: MINUTES }, (_, minute) =>
      processes.reduce((total, { lastHour }) => total + (lastHour?.[name][minute] ?? 0), 0),
    );
  return { received: sum('received'), completed: sum('completed'), failed: sum('failed') };
}

/** Adds up the failures of all processes by code, the most frequent code first, with the newest examples. */
export function sumOfFailures(processes: readonly ProcessReport[]): FailureCount[] {
  const byCode = new Map<string, FailureCount>();
  for (const { code, count, examples } of processes.flatMap(({ failures }) => failures ?? [])) {
    const known = byCode.get(code) ?? { code, count: 0, examples: [] };
    const all = [...known.examples, ...examples].sort((a, b) => b.at.localeCompare(a.at));
    byCode.set(code, { code, count: known.count + count, examples: all.slice(0, SHOWN_EXAMPLES) });
  }
  return [...byCode.values()].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
}
