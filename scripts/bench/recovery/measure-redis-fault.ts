import { heldInMetrics } from '../../../test/helpers/held-in-metrics.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../../../src/wire/documents.ts';
import { getJson, putFile } from '../../../test/helpers/client.ts';
import { eventually } from '../../../test/helpers/eventually.ts';
import { createTus } from '../../../test/helpers/tus-requests.ts';
import type { RedisFault } from './redis-faults.ts';
import type { RedisSetup } from './redis-setup.ts';

/** The times in milliseconds from a fault, or from its end if it has a duration. */
export interface RedisRecoveryTimes {
  /** Time until every living API process is ready. */
  ready: number;
  /** Time until a new upload is accepted (202). */
  taken: number;
  /** Time until the clients held by each process receive a change. It is made as soon as Redis accepts it. */
  notified: number;
  /** Longest time until a new upload was rejected during the fault. NaN if none was rejected. */
  refused: number;
}

const HOLD_MS = 50_000;
const AGAIN_MS = 20;
const RECOVERED_WITHIN_MS = 60_000;

/** Causes the fault once in a new service. */
export async function measureRedisFault(fault: RedisFault, bytes: Buffer): Promise<RedisRecoveryTimes> {
  const setup = await fault.start();
  try {
    return await measure(fault, setup, bytes);
  } finally {
    await setup.stop();
  }
}

async function measure(fault: RedisFault, setup: RedisSetup, bytes: Buffer): Promise<RedisRecoveryTimes> {
  const urls = setup.service.apis.map(({ url }) => url);
  const id = await createTus(urls[0] ?? '', { 'Upload-Length': '5000' });
  const notified = Promise.all(
    urls.map(async (_, index) => await follow([...urls.slice(index), ...urls.slice(0, index)], id)),
  );
  await eventually('the polls to be held', async () => {
    const metrics = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
    return metrics.every((text) => heldInMetrics(text) === 1);
  });
  const sending = keepSending(urls.at(-1) ?? '', bytes);
  const atMs = await fault.inject(setup);
  const living = setup.service.apis
    .filter(({ child }) => child.exitCode === null && child.signalCode === null)
    .map(({ url }) => url);
  const ready = untilAll(living, async (url) => (await fetch(`${url}/readyz`)).status === 200);
  // One cancel is enough, because the first process publishes for both event buses. If it is dead, only the other
  // process has waiters.
  const cancelled = untilAll(
    living.slice(0, 1),
    async (url) => (await fetch(`${url}/uploads/${id}/cancel`, { method: 'POST' })).status < 300,
  );
  const readyAtMs = await ready;
  await cancelled;
  const notifiedAtMs = Math.max(...(await notified));
  const { takenAtMs, refusedMs } = await sending.stop();
  return { ready: readyAtMs - atMs, taken: takenAtMs - atMs, notified: notifiedAtMs - atMs, refused: refusedMs };
}

/** Asks every address until it answers true. Resolves with the time at which the last one did. */
async function untilAll(urls: readonly string[], says: (url: string) => Promise<boolean>): Promise<number> {
  await Promise.all(
    urls.map(async (url) => await eventually(url, async () => await says(url).catch(() => false), RECOVERED_WITHIN_MS)),
  );
  return Date.now();
}

/**
 * Follows an upload as the contract says: polls with the last version, and asks another process if one does not answer.
 */
async function follow(urls: readonly string[], id: string): Promise<number> {
  for (let turn = 0; ; turn += 1) {
    try {
      const { status, body } = await getJson<Progress>(
        `${urls[turn % urls.length] ?? ''}/uploads/${id}/progress?since=1&timeout=${HOLD_MS}`,
      );
      if (status === 200 && body.version !== 1) return Date.now();
    } catch {
      // The process has ended.
    }
    await delay(AGAIN_MS);
  }
}

/** Sends one new upload after the other. After `stop` it continues until one is accepted. */
function keepSending(url: string, bytes: Buffer): { stop(): Promise<{ takenAtMs: number; refusedMs: number }> } {
  let refusedMs = Number.NaN;
  let lastRefusalAtMs = 0;
  const takenAtMs: number[] = [];
  let isOver = false;
  const sending = (async () => {
    while (!isOver || (takenAtMs.at(-1) ?? 0) <= lastRefusalAtMs) {
      const sentAtMs = Date.now();
      const { status } = await putFile(url, randomUUID(), bytes, 'a.jpg');
      if (status === 202) takenAtMs.push(Date.now());
      else {
        lastRefusalAtMs = Date.now();
        refusedMs = Math.max(Number.isNaN(refusedMs) ? 0 : refusedMs, lastRefusalAtMs - sentAtMs);
      }
      await delay(AGAIN_MS);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await sending;
      // The first accepted upload after the last rejected one.
      return { takenAtMs: takenAtMs.find((atMs) => atMs > lastRefusalAtMs) ?? Number.NaN, refusedMs };
    },
  };
}
