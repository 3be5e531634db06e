import { idsIn, type Check } from './checks/check.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import type { RedisView } from './checks/redis-view.ts';
import type { Fleet } from './fleet/fleet.ts';

const MOST_UPLOADS = 5;
const MOST_LINES = 60;
const ERROR_LEVEL = '"level":"error"';

/** Collects the records and log lines of the first uploads with a finding, and the last errors of all processes. */
export async function gatherEvidence(checks: readonly Check[], view: RedisView, fleet: Fleet): Promise<string[]> {
  const evidence: string[] = [];
  for (const id of idsIn(checks).slice(0, MOST_UPLOADS)) {
    evidence.push(`record of ${id}: ${JSON.stringify(await view.fields(id))}`, ...linesWith(fleet, uploadRef(id)));
  }
  if (checks.some(({ findings }) => findings.length > 0)) evidence.push('errors:', ...linesWith(fleet, ERROR_LEVEL));
  return evidence;
}

function linesWith(fleet: Fleet, word: string): string[] {
  const lines = [...fleet.apis, ...fleet.workers].flatMap((one) =>
    one.linesWith(word).map((line) => `${one.name}: ${line}`),
  );
  return lines.sort((left, right) => timeIn(left).localeCompare(timeIn(right))).slice(-MOST_LINES);
}

function timeIn(line: string): string {
  return /"time":"?([^",]+)/.exec(line)?.[1] ?? '';
}
