import { idsIn, type Check } from './checks/check.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import type { RedisView } from './checks/redis-view.ts';
import type { Fleet } from './fleet/fleet.ts';

const MOST_UPLOADS = 5;
const MOST_LINES = 60;

/** What Redis and the processes' logs say of uploads that the checks have found fault with; of the first few, that is. */
export async function gatherEvidence(checks: readonly Check[], view: RedisView, fleet: Fleet): Promise<string[]> {
  const evidence: string[] = [];
  for (const id of idsIn(checks).slice(0, MOST_UPLOADS)) {
    evidence.push(`record of ${id}: ${JSON.stringify(await view.fields(id))}`);
    const lines = [...fleet.apis, ...fleet.workers].flatMap((one) =>
      one.linesWith(uploadRef(id)).map((line) => `${one.name}: ${line}`),
    );
    evidence.push(...lines.sort((left, right) => timeIn(left).localeCompare(timeIn(right))).slice(-MOST_LINES));
  }
  return evidence;
}

function timeIn(line: string): string {
  return /"time":"?([^",]+)/.exec(line)?.[1] ?? '';
}
