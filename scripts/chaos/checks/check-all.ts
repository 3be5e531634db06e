import { setTimeout as delay } from 'node:timers/promises';
import { expectNothingLeft } from '../../../test/helpers/nothing-left.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import type { Auditor } from '../auditor.ts';
import type { ClientLog } from '../clients/client-log.ts';
import type { ClientResult } from '../clients/client.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { LossBetween } from '../progress-checker.ts';
import type { WebhookSink } from '../webhook-sink.ts';
import type { Check } from './check.ts';
import { checkTurns } from './fair-turns.ts';
import { checkOutcomes } from './outcomes.ts';
import { wrongUse, type QuotaWatch } from './quota-watch.ts';
import { openUploads, type RedisView } from './redis-view.ts';

const POLL_MS = 250;

/** The data that the checks read. */
interface RunData {
  results: readonly ClientResult[];
  clientLog: ClientLog;
  fleet: Fleet;
  auditor: Auditor;
  view: RedisView;
  sink: WebhookSink;
  /** Undefined without tenants. */
  quotas: QuotaWatch | undefined;
  lossBetween: LossBetween;
  /** Until this time the service may finish its cleanup. */
  deadlineMs: number;
}

/** Runs all checks. `records` are the records that exist at the end. */
export async function checkAll(run: RunData): Promise<{ checks: Check[]; records: UploadRecord[] }> {
  const { results, clientLog, fleet, auditor, view } = run;
  const harmed = await fleet.foreignFiles.collect();
  const open = await untilNone(async () => openUploads(await view.records()), run.deadlineMs);
  const outcomes = await outcomesAtLast(run);
  const webhooks = await webhooksAtLast(run);
  const quotas = await quotaChecks(run);
  const left = await findLeft(run);
  // The scan that removes files may have restored an upload, which is processed now.
  const restored = await untilNone(async () => openUploads(await view.records()), run.deadlineMs);
  const jobs = await untilNone(async () => await view.jobs(), run.deadlineMs);
  const records = await view.records();
  const readAtMs = performance.now();
  const behind = await untilNone(
    async () => (auditor.caughtUpAtMs < readAtMs ? ['the event stream was not read to its end'] : []),
    run.deadlineMs,
  );
  const checks = [
    {
      name: `every client has finished (${results.length})`,
      findings: results
        .filter(({ isOutOfTime }) => isOutOfTime)
        .map(({ id, plan }) => `${id} ${plan.way} ${plan.intent}`),
    },
    ...outcomes,
    ...quotas,
    ...fairness(run, records),
    {
      name: `no upload is left open, also if its answer was lost (${records.length})`,
      findings: [...new Set([...open, ...restored])],
    },
    {
      name: `versions, states and percents went forward for every client (${clientLog.answers} answers)`,
      findings: results.flatMap(({ offences }) => offences),
    },
    {
      name: `each change was published once, and each upload ended once (${auditor.trail.changes} changes)`,
      findings: auditor.trail.offences,
    },
    {
      name: 'the last event of each upload matches its record',
      findings: [...behind, ...lastEventsWrong(records, auditor)],
    },
    ...webhooks,
    { name: 'no answer breaks the contract', findings: clientLog.offences },
    { name: 'no file without a record, no key, no waiter, no open file', findings: left },
    { name: 'no job is left in the queue', findings: jobs },
    { name: 'files of other programs in the storage are unchanged', findings: harmed },
    {
      name: 'a second installation on the same storage exits at its start',
      findings: fleet.secondInstallationFindings,
    },
    {
      name: 'no process ended without a fault',
      findings: [...fleet.apis, ...fleet.workers].flatMap(({ unasked }) => unasked),
    },
  ];
  return { checks, records };
}

async function quotaChecks({ quotas, view, deadlineMs }: RunData): Promise<Check[]> {
  if (quotas === undefined) return [];
  const wrong = await untilNone(async () => wrongUse(await view.records(), await view.tenantUse()), deadlineMs);
  const exceeded = await quotas.end();
  return [
    { name: `no tenant was sending more uploads than its quota (at most: ${quotas.seen})`, findings: exceeded },
    { name: 'what each tenant uses is the sum of its records', findings: wrong },
  ];
}

/** Checks the fair order. All uploads of a run are pictures of one lane and one weight, so they wait in one order. */
function fairness({ quotas, auditor }: RunData, records: readonly UploadRecord[]): Check[] {
  if (quotas === undefined) return [];
  const tenants = new Map(records.map(({ id, tenant }) => [id, tenant ?? undefined]));
  const { findings, turns, longestBacklog } = checkTurns(auditor.turns.turns, (id) => tenants.get(id));
  return [{ name: `no tenant starved (${turns} turns, longest backlog beside another ${longestBacklog})`, findings }];
}

/**
 * Repeats the checks of the outcomes until the deadline, because the janitor restores lost uploads only at its next
 * scan.
 */
async function outcomesAtLast({ results, fleet, lossBetween, deadlineMs }: RunData): Promise<Check[]> {
  const giveUpAtMs = performance.now() + leastMs(deadlineMs);
  for (;;) {
    const outcomes = await checkOutcomes(results, fleet.urls, lossBetween);
    if (outcomes.every(({ findings }) => findings.length === 0) || performance.now() > giveUpAtMs) return outcomes;
    await delay(POLL_MS);
  }
}

/** Waits for the last webhooks: a refused one is tried again 5 and 30 s later. */
async function webhooksAtLast({ auditor, sink, lossBetween, deadlineMs }: RunData): Promise<Check[]> {
  const { ends } = auditor.trail;
  const missing = await untilNone(async () => [...ends].filter((id) => !sink.accepted.has(id)), deadlineMs);
  // Redis may have lost an end that the sink has received.
  const isLossy = lossBetween(0, performance.now());
  const unknown = isLossy ? [] : [...sink.accepted].filter((id) => !ends.has(id));
  return [
    {
      name: `a webhook was delivered for each end (${ends.size} ends, ${sink.deliveries} deliveries)`,
      findings: missing,
    },
    { name: 'no webhook was delivered without an end', findings: [...unknown, ...sink.offences] },
  ];
}

/**
 * Looks for files, keys and waiters that are left over. After a loss a record may name other files than are stored.
 * Those files stay until the upload is removed, so they are ignored.
 */
async function findLeft({ fleet, deadlineMs, lossBetween }: RunData): Promise<string[]> {
  const isLossy = lossBetween(0, performance.now());
  const apis = fleet.apis.flatMap(({ current }) => current ?? []);
  try {
    await expectNothingLeft(
      { apis, directory: fleet.storage.directory, redis: fleet.redis },
      undefined,
      leastMs(deadlineMs),
    );
    return [];
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
      .replace(/^left: /, '')
      .split('\n')
      .filter((line) => !isLossy || !/^(file|folder) /.test(line));
  }
}

/** Returns the time for a check: until the deadline, but at least 10 s, even if earlier checks were slow. */
function leastMs(deadlineMs: number): number {
  return Math.max(10_000, deadlineMs - performance.now());
}

async function untilNone(list: () => Promise<string[]>, deadlineMs: number): Promise<string[]> {
  const giveUpAtMs = performance.now() + leastMs(deadlineMs);
  for (;;) {
    const found = await list();
    if (found.length === 0 || performance.now() > giveUpAtMs) return found;
    await delay(POLL_MS);
  }
}

function lastEventsWrong(records: readonly UploadRecord[], auditor: Auditor): string[] {
  return records.flatMap(({ id, version, state }) => {
    const reported = auditor.trail.last(id);
    return reported === undefined || (reported.version === version && reported.state === state)
      ? []
      : [`${id} ${state} version ${version}, last event ${reported.state} version ${reported.version}`];
  });
}
