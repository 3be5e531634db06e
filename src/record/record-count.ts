import type { ScriptRunner } from '../queue/backlog.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { loadScript } from '../queue/load-script.ts';

const COUNT_SCRIPT = loadScript(new URL('scripts/count-records.lua', import.meta.url));

/** The maximum numbers of records. */
export interface RecordBounds {
  most: number;
  /** The owner of the new record. If undefined, no limit by owner applies. */
  owner?: string;
  mostOfOwner: number;
}

/** Counts of the records of an installation at one moment. */
export interface RecordFigures {
  live: number;
  ofOwner: number;
  /** Time until Redis drops the next record. */
  nextDropMs: number;
}

/** Counts the records. Rejects with `service_unavailable` (503) if Redis is away. */
export async function countRecords(store: ScriptRunner, keys: QueueKeys, owner?: string): Promise<RecordFigures> {
  const reply = await store.runScript(COUNT_SCRIPT, [keys.records, keys.recordOwners], [owner ?? '']);
  const [live = 0, ofOwner = 0, nextDropMs = 0] = Array.isArray(reply) ? reply.map(Number) : [];
  return { live, ofOwner, nextDropMs };
}
