import { figure, formatTable, verdict } from '../lib/table.ts';

/** A lower or upper limit of a figure. */
export type Limit = { what: string; value: number; digits?: number } & ({ least: number } | { most: number });

/** Returns one line per limit: the measured value, the limit, and whether it is kept. */
export function formatLimits(limits: readonly Limit[]): string {
  const rows = limits.map((limit) => {
    const isMet = 'least' in limit ? limit.value >= limit.least : limit.value <= limit.most;
    const wanted = 'least' in limit ? `≥ ${limit.least}` : `≤ ${limit.most}`;
    return [limit.what, figure(limit.value, limit.digits ?? 2), wanted, verdict(limit.value, isMet)];
  });
  return formatTable(['limit', 'measured', 'wanted', ''], rows);
}
