import { setTimeout as delay } from 'node:timers/promises';
import { queueKeys } from '../../src/queue/contract.ts';
import { Auditor } from './auditor.ts';
import { checkAll } from './checks/check-all.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { Check } from './checks/check.ts';
import { QuotaWatch } from './checks/quota-watch.ts';
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
import { ChaosTenants } from './tenants.ts';
import { WebhookSink } from './webhook-sink.ts';
import { planUploads, type UploadPlan } from './upload-plan.ts';

/** The default prefix. */
const KEYS = queueKeys('deferred-uploads');

/** The outcome of one run. */
export interface ChaosOutcome {
  readonly results: readonly ClientResult[];
  readonly clientLog: ClientLog;
  readonly injector: FaultInjector;
  readonly fleet: Fleet;
  readonly checks: readonly Check[];
  /** The number of changes that were checked. */
  readonly changes: number;
  /** The number of uploads by their number of attempts, if more than one. */
  readonly attempts: ReadonlyMap<number, number>;
  /** Time from the end of the last fault to the end of the last client. */
  readonly settledMs: number;
  /** Records and log lines of uploads with a finding. */
  readonly evidence: readonly string[];
}

/** Callbacks during a run. */
interface ChaosHooks {
  say(line: string): void;
  /** Receives the fleet, which the caller must stop if it ends the run early. */
  started(fleet: Fleet): void;
}

/** Plans the faults and clients of a run. The same options give the same plan. */
export function planOf(options: ChaosOptions): { faults: Fault[]; uploads: UploadPlan[] } {
  return { faults: planFaults(options, options.seed), uploads: planUploads(options, options.seed) };
}

/** Runs once, from an empty directory to the last check. Nothing is left over when it resolves or rejects. */
export async function runChaos(options: ChaosOptions, hooks: ChaosHooks): Promise<ChaosOutcome> {
  const plan = planOf(options);
  const picture = await pictureMaker();
  const sink = new WebhookSink();
  const webhooks = await sink.open();
  const tenants = options.tenants ? await ChaosTenants.create(webhooks) : undefined;
  const close = async (): Promise<void> => {
    await sink.close();
    await tenants?.remove();
  };
  const fleet = await startFleet({ ...options, more: tenants?.settings ?? webhooks }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  hooks.started(fleet);
  await fleet.foreignFiles.plant();
  const log = options.powerLoss ? new LosingLog(fleet.redis.directory) : undefined;
  const auditor = new Auditor(fleet.redis.url, KEYS.events);
  const view = new RedisView(fleet.redis.url, KEYS);
  const quotas = tenants === undefined ? undefined : new QuotaWatch(view);
  try {
    auditor.start();
    const injector = new FaultInjector(fleet, log, () => auditor.forget());
    let deadlineMs = Infinity;
    const lossBetween = (fromMs: number, toMs: number) =>
      options.powerLoss && injector.outages.some((outage) => outage.fromMs < toMs && outage.toMs > fromMs);
    const clientLog = new ClientLog(lossBetween);
    const env: ClientEnv = { urls: fleet.urls, clientLog, picture, lossBetween, deadlineMs: () => deadlineMs };
    hooks.say(`everything is up: ${options.apis} API processes, ${options.workers} workers, Redis`);
    quotas?.start();
    const startedAtMs = performance.now();
    const living = Promise.all(
      plan.uploads.map(async (one) => {
        await delay(Math.max(0, startedAtMs + one.atMs - performance.now()));
        const headers = tenants === undefined ? {} : { Authorization: `Bearer ${await tenants.ticketFor(one)}` };
        return await new Client(one, env, headers).run();
      }),
    );
    await Promise.all([injector.run(plan.faults, startedAtMs), delay(options.seconds * 1000)]);
    const healedAtMs = performance.now();
    deadlineMs = healedAtMs + options.settleSeconds * 1000;
    hooks.say('all faults are over');
    const [results] = await Promise.all([living, untilUp(fleet)]);
    const settledMs = performance.now() - healedAtMs;
    hooks.say('all clients have finished');
    const { checks, records } = await checkAll({
      results,
      clientLog,
      fleet,
      auditor,
      view,
      sink,
      quotas,
      lossBetween,
      deadlineMs,
    });
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
    await quotas?.end();
    log?.close();
    await auditor.close();
    await fleet.stop();
    await close();
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
