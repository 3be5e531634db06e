import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SECRET, startReceiver, type WebhookReceiver } from '../../../test/helpers/webhook-receiver.ts';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { untilEqual } from '../lib/eventually.ts';
import { startServiceProcesses } from '../lib/service-processes.ts';
import { withSession } from '../lib/session.ts';
import { median, percentile } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';

const defaults = { uploads: 1000, rate: 20, rounds: 3 };
const quick = { uploads: 100, rounds: 1 };

/** The number of uploads that are enough to compile all code in every process. */
const WARM_UP_UPLOADS = 100;

const P99_TARGET_MS = 100;

/** A table of two rows costs almost no processing, so the figures are those of the delivery. */
const FILE = 'name,value\na,1\nb,2\n';

/** Milliseconds from each final state to the arrival of its webhook, of one round. */
type Latencies = readonly number[];

/** Measures the time from the final state of an upload until an endpoint on loopback has its webhook. */
export const webhooks: Bench<typeof defaults> = {
  name: 'webhooks',
  summary: 'from the final state of an upload to the arrival of its webhook at an endpoint on loopback',
  defaults,
  quick,
  async run(options) {
    return await withSession(async (session) => {
      const receiver = await startReceiver();
      const { api, end } = await startServiceProcesses(session, {
        workers: 1,
        env: { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW: '127.0.0.1' },
        apiOptions: options.serverOptions,
        workerOptions: options.serverOptions,
      });
      try {
        say('warming up');
        await runRound(receiver, api.url, { ...options, uploads: WARM_UP_UPLOADS });
        const rounds: Latencies[] = [];
        onInterrupt(() => report(rounds, options));
        for (let round = 1; round <= options.rounds; round += 1) {
          say(`round ${round} of ${options.rounds}`);
          rounds.push(await runRound(receiver, api.url, options));
        }
        return report(rounds, options);
      } finally {
        await Promise.all([end(), receiver.close()]);
      }
    });
  },
};

/** Sends uploads at a rate, and waits until each webhook has arrived. */
async function runRound(
  receiver: WebhookReceiver,
  url: string,
  { uploads, rate }: typeof defaults,
): Promise<Latencies> {
  receiver.received.length = 0;
  const startedMs = performance.now();
  const sent: Promise<void>[] = [];
  for (let count = 0; count < uploads; count += 1) {
    await delay(Math.max(0, startedMs + (count * 1000) / rate - performance.now()));
    const one = send(url);
    // An interrupted run ends the service while it sends. Without this the process would end before its cleanup.
    one.catch(() => undefined);
    sent.push(one);
  }
  await Promise.all(sent);
  await untilEqual('webhooks that have arrived', uploads, async () => receiver.received.length);
  // Redis runs on this machine, so both times come from the same clock.
  return receiver.received.map(({ atMs, webhook }) => atMs - Date.parse(webhook.timestamp));
}

async function send(url: string): Promise<void> {
  const { status } = await fetch(`${url}/uploads/${randomUUID()}`, { method: 'PUT', body: FILE });
  if (status !== 202) throw new Error(`an upload was answered with ${status}`);
}

function report(rounds: readonly Latencies[], { uploads, rate }: typeof defaults): string {
  const over = (fraction: number): number => median(rounds.map((round) => percentile(round, fraction)));
  const table = formatTable(
    [`${uploads} uploads at ${rate} a second, medians of ${rounds.length} rounds`, 'p50 ms', 'p99 ms', 'slowest ms'],
    [['final state to webhook', figure(over(0.5)), figure(over(0.99)), figure(over(1))]],
  );
  const targets = [{ what: 'p99, final state to webhook, ms', value: over(0.99), most: P99_TARGET_MS, digits: 0 }];
  return `${table}\n\n${formatTargets(targets)}`;
}
