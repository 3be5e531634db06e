import type { Turn } from '../turn-log.ts';

/**
 * The number of turns that another tenant may have in addition: one has already begun in virtual time, and one has the
 * same start. Start-time fair queueing guarantees it for tenants of the same weight.
 */
const TURNS_MORE = 2;

/** The result of the check of fair turns. */
interface Fairness {
  /** One finding for each upload that waited for too many uploads of another tenant. */
  readonly findings: readonly string[];
  /** The number of uploads that were taken in their turn. */
  readonly turns: number;
  /** The most uploads of one tenant that were waiting while another tenant waited too. */
  readonly longestBacklog: number;
}

interface Waiting {
  readonly tenant: string;
  readonly isRequeued: boolean;
  /** The uploads of the same tenant that were waiting when this one began to wait. */
  ahead: number;
  /** For each other tenant, the number of its uploads that were taken since this one began to wait. */
  readonly overtaken: Map<string, number>;
}

/**
 * Checks the fair order: while an upload waits behind `n` uploads of its own tenant, no other tenant of the same weight
 * has more than `n + 2` turns. Requeued uploads come before all others, so their turns are not counted. `tenantOf`
 * returns undefined for an upload that is not known; it is ignored.
 */
export function checkTurns(turns: readonly Turn[], tenantOf: (id: string) => string | undefined): Fairness {
  const waiting = new Map<string, Waiting>();
  const counts = new Map<string, number>();
  const findings: string[] = [];
  let [taken, longestBacklog] = [0, 0];
  for (const { id, step, isRequeued } of turns) {
    const tenant = tenantOf(id);
    if (tenant === undefined) continue;
    const ahead = counts.get(tenant) ?? 0;
    if (step === 'waits') {
      waiting.set(id, { tenant, isRequeued, ahead, overtaken: new Map() });
      counts.set(tenant, ahead + 1);
      longestBacklog = Math.max(longestBacklog, longestOfSeveral(counts));
      continue;
    }
    const one = waiting.get(id);
    if (one === undefined) countAhead(waiting.values(), tenant);
    else {
      waiting.delete(id);
      counts.set(tenant, ahead - 1);
      findings.push(...tooManyBefore(id, one));
    }
    if (step === 'left' || isRequeued) continue;
    taken += 1;
    for (const other of waiting.values()) if (other.tenant !== tenant) countTurn(other, tenant);
  }
  for (const [id, one] of waiting) findings.push(...tooManyBefore(id, one));
  return { findings, turns: taken, longestBacklog };
}

/** Returns the largest number of waiting uploads of one tenant, or 0 if fewer than two tenants have some. */
function longestOfSeveral(counts: ReadonlyMap<string, number>): number {
  const waiting = [...counts.values()].filter((count) => count > 0);
  return waiting.length < 2 ? 0 : Math.max(...waiting);
}

/**
 * Counts a taken upload that has no event of its wait (see `TurnLog`). A tenant's uploads are taken first in, first
 * out, so this upload was ahead of all uploads of its tenant that still wait.
 */
function countAhead(waiting: Iterable<Waiting>, tenant: string): void {
  for (const own of waiting) if (own.tenant === tenant) own.ahead += 1;
}

function countTurn({ overtaken }: Waiting, tenant: string): void {
  overtaken.set(tenant, (overtaken.get(tenant) ?? 0) + 1);
}

function tooManyBefore(id: string, { tenant, isRequeued, ahead, overtaken }: Waiting): string[] {
  if (isRequeued) return [];
  return [...overtaken].flatMap(([other, turns]) =>
    turns <= ahead + TURNS_MORE
      ? []
      : [`${id} of ${tenant} waited behind ${ahead} of its own, and ${turns} of ${other} were taken before it`],
  );
}
