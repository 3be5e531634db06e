import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../../../src/wire/documents.ts';
import { getJson, putFile } from '../../../test/helpers/client.ts';
import { eventually } from '../../../test/helpers/eventually.ts';
import { createTus } from '../../../test/helpers/tus-requests.ts';
import type { RedisFault } from './redis-faults.ts';
import type { Ground } from './redis-ground.ts';

/** Milliseconds from a fault, or its end, to what follows. */
export interface RedisShot {
  /** Every API process that lives is ready. */
  ready: number;
  /** A new upload is taken: 202. */
  taken: number;
  /**
   * Clients that were held in each process before the fault have heard of a change that somebody makes as soon as it
   * can be made.
   */
  heard: number;
  /** The longest that a new upload waited for its refusal meanwhile; NaN where none was refused. */
  refused: number;
}

const HOLD_MS = 50_000;
const AGAIN_MS = 20;
const RECOVERED_WITHIN_MS = 60_000;

/** Lets it go wrong once under a service of its own. */
export async function shootRedis(fault: RedisFault, bytes: Buffer): Promise<RedisShot> {
  const ground = await fault.start();
  try {
    return await shoot(fault, ground, bytes);
  } finally {
    await ground.stop();
  }
}

async function shoot(fault: RedisFault, ground: Ground, bytes: Buffer): Promise<RedisShot> {
  const urls = ground.service.apis.map(({ url }) => url);
  const id = await createTus(urls[0] ?? '', { 'Upload-Length': '5000' });
  const heard = Promise.all(
    urls.map(async (_, index) => await hear([...urls.slice(index), ...urls.slice(0, index)], id)),
  );
  await eventually('the polls to be held', async () => {
    const metrics = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
    return metrics.every((text) => text.includes('deferred_held 1'));
  });
  const sending = keepSending(urls.at(-1) ?? '', bytes);
  const atMs = await fault.strike(ground);
  const living = ground.service.apis
    .filter(({ child }) => child.exitCode === null && child.signalCode === null)
    .map(({ url }) => url);
  const ready = untilAll(living, async (url) => (await fetch(`${url}/readyz`)).status === 200);
  // The first publishes its changes for both ways of hearing; where it is dead the other is the only one that waits.
  const cancelled = untilAll(
    living.slice(0, 1),
    async (url) => (await fetch(`${url}/uploads/${id}/cancel`, { method: 'POST' })).status < 300,
  );
  const readyAtMs = await ready;
  await cancelled;
  const heardAtMs = Math.max(...(await heard));
  const { takenAtMs, refusedMs } = await sending.stop();
  return { ready: readyAtMs - atMs, taken: takenAtMs - atMs, heard: heardAtMs - atMs, refused: refusedMs };
}

/** Resolves with the moment in which all of them have said yes. */
async function untilAll(urls: readonly string[], says: (url: string) => Promise<boolean>): Promise<number> {
  await Promise.all(
    urls.map(async (url) => await eventually(url, async () => await says(url).catch(() => false), RECOVERED_WITHIN_MS)),
  );
  return Date.now();
}

/** A client as the contract has it: it asks again what it last saw, and another process where one does not answer. */
async function hear(urls: readonly string[], id: string): Promise<number> {
  for (let turn = 0; ; turn += 1) {
    try {
      const { status, body } = await getJson<Progress>(
        `${urls[turn % urls.length] ?? ''}/uploads/${id}/progress?since=1&timeout=${HOLD_MS}`,
      );
      if (status === 200 && body.version !== 1) return Date.now();
    } catch {
      // Its process is gone.
    }
    await delay(AGAIN_MS);
  }
}

/** Sends one new upload after the other; on `stop` it goes on until one is taken after that. */
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
      // The first that was taken after the last that was refused.
      return { takenAtMs: takenAtMs.find((atMs) => atMs > lastRefusalAtMs) ?? Number.NaN, refusedMs };
    },
  };
}
