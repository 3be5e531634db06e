import type { QueueKeys } from '../queue/contract.ts';
import { loadScript } from '../queue/load-script.ts';

const COUNT_SCRIPT = loadScript(new URL('scripts/count-records.lua', import.meta.url));

/** How many records there may be. */
export interface RecordBounds {
  most: number;
  /** Who makes the record; undefined: no owner's share is limited. */
  owner?: string;
  mostOfOwner: number;
}

/** The records of an installation at one moment. */
export interface RecordFigures {
  live: number;
  ofOwner: number;
  /** Until Redis drops the next record. */
  nextDropMs: number;
}

/** The one command that it takes. */
interface ScriptRunner {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** Counts the records. Rejects with `service_unavailable` (503) if Redis cannot be asked. */
export async function countRecords(store: ScriptRunner, keys: QueueKeys, owner?: string): Promise<RecordFigures> {
  const reply = await store.runScript(COUNT_SCRIPT, [keys.records, keys.recordOwners], [owner ?? '']);
  const [live = 0, ofOwner = 0, nextDropMs = 0] = Array.isArray(reply) ? reply.map(Number) : [];
  return { live, ofOwner, nextDropMs };
}
