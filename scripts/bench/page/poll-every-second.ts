import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../../../src/wire/documents.ts';

const SENT_AT_ONCE = 3;
const PERIOD_MS = 1000;

/** Number of requests and time needed. */
export interface PollFigures {
  requests: number;
  seconds: number;
}

/** Sends a few files at the same time, as a simple client, and polls each of them once a second until it is final. */
export async function pollEverySecond(url: string, photos: readonly Buffer[], count: number): Promise<PollFigures> {
  let requests = 0;
  const ask = async (path: string, init?: RequestInit): Promise<unknown> => {
    requests += 1;
    const response = await fetch(url + path, init);
    return await response.json();
  };
  const follow = async (id: string): Promise<void> => {
    let isFinal = false;
    while (!isFinal) {
      await delay(PERIOD_MS);
      isFinal = ((await ask(`/uploads/${id}/progress?timeout=0`)) as Progress).final;
    }
    await ask(`/uploads/${id}`);
  };
  const startedAtMs = performance.now();
  const left = Array.from({ length: count }, (_, index) => photos[index % photos.length] ?? Buffer.alloc(0));
  const followed: Promise<void>[] = [];
  const send = async (): Promise<void> => {
    for (let bytes = left.pop(); bytes; bytes = left.pop()) {
      const id = randomUUID();
      await ask(`/uploads/${id}`, { method: 'PUT', body: new Uint8Array(bytes) });
      followed.push(follow(id));
    }
  };
  await Promise.all(Array.from({ length: SENT_AT_ONCE }, send));
  await Promise.all(followed);
  return { requests, seconds: (performance.now() - startedAtMs) / 1000 };
}
