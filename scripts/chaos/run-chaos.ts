import { setTimeout as delay } from 'node:timers/promises';
import { queueKeys } from '../../src/queue/contract.ts';
import { Auditor } from './auditor.ts';
import { checkAll } from './checks/check-all.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { Check } from './checks/check.ts';
import { RedisView } from './checks/redis-view.ts';
import { ClientLog } from './clients/client-log.ts';
import { Client, type ClientResult, type ClientEnv } from './clients/client.ts';
import { gatherEvidence } from './evidence.ts';
import { planFaults, type Fault } from './fault-schedule.ts';
import { FaultInjector } from './fleet/fault-injector.ts';
import { startFleet, untilUp, type Fleet } from './fleet/fleet.ts';
import { LosingLog } from './fleet/power.ts';
import type { ChaosOptions } from './options.ts';
import { pictureMaker } from './small-picture.ts';
import { planUploads, type UploadPlan } from './upload-plan.ts';

/** The default prefix, which the processes are left with. */
const KEYS = queueKeys('deferred-uploads');

/** All that one run has brought. */
export interface ChaosOutcome {
  readonly results: readonly ClientResult[];
  readonly clientLog: ClientLog;
  readonly injector: FaultInjector;
  readonly fleet: Fleet;
  readonly checks: readonly Check[];
  /** Changes of uploads that were looked at. */
  readonly changes: number;
  /** Uploads that took more than one attempt, by how many they took. */
  readonly attempts: ReadonlyMap<number, number>;
  /** From the end of the last fault to the last client's. */
  readonly settledMs: number;
  /** What Redis and the logs say of uploads that a check has found fault with. */
  readonly evidence: readonly string[];
}

/** What a run tells while it goes on, and whom. */
export interface ChaosHooks {
  say(line: string): void;
  /** Whoever ends the run early stops this. */
  started(fleet: Fleet): void;
}

/** The faults and clients of a run; the same options, the same plan. */
export function planOf(options: ChaosOptions): { faults: Fault[]; uploads: UploadPlan[] } {
  return { faults: planFaults(options, options.seed), uploads: planUploads(options, options.seed) };
}

/** One whole run, from an empty directory to the last check. Nothing of it is left when it resolves or rejects. */
export async function runChaos(options: ChaosOptions, hooks: ChaosHooks): Promise<ChaosOutcome> {
  const plan = planOf(options);
  const picture = await pictureMaker();
  const fleet = await startFleet(options);
  hooks.started(fleet);
  await fleet.foreignFiles.plant();
  const log = options.powerLoss ? new LosingLog(fleet.redis.directory) : undefined;
  const auditor = new Auditor(fleet.redis.url, KEYS.events);
  const view = new RedisView(fleet.redis.url, KEYS);
  try {
    auditor.start();
    const injector = new FaultInjector(fleet, log, () => auditor.trail.forget());
    let deadlineMs = Infinity;
    const lossBetween = (fromMs: number, toMs: number) =>
      options.powerLoss && injector.outages.some((outage) => outage.fromMs < toMs && outage.toMs > fromMs);
    const clientLog = new ClientLog(lossBetween);
    const env: ClientEnv = { urls: fleet.urls, clientLog, picture, lossBetween, deadlineMs: () => deadlineMs };
    hooks.say(`everything is up: ${options.apis} API processes, ${options.workers} workers, Redis`);
    const startedAtMs = performance.now();
    const living = Promise.all(
      plan.uploads.map(async (one) => {
        await delay(Math.max(0, startedAtMs + one.atMs - performance.now()));
        return await new Client(one, env).run();
      }),
    );
    await Promise.all([injector.run(plan.faults, startedAtMs), delay(options.seconds * 1000)]);
    const healedAtMs = performance.now();
    deadlineMs = healedAtMs + options.settleSeconds * 1000;
    hooks.say('faults are over');
    const [results] = await Promise.all([living, untilUp(fleet)]);
    const settledMs = performance.now() - healedAtMs;
    hooks.say('clients are through');
    const { checks, records } = await checkAll({ results, clientLog, fleet, auditor, view, lossBetween, deadlineMs });
    const evidence = await gatherEvidence(checks, view, fleet);
    return {
      results,
      clientLog,
      injector,
      fleet,
      checks,
      changes: auditor.trail.changes,
      attempts: countAttempts(records),
      settledMs,
      evidence,
    };
  } finally {
    view.close();
    log?.close();
    await auditor.close();
    await fleet.stop();
  }
}

function countAttempts(records: readonly UploadRecord[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { attempt, attemptBase } of records) {
    const taken = attempt - attemptBase;
    if (taken > 1) counts.set(taken, (counts.get(taken) ?? 0) + 1);
  }
  return counts;
}
