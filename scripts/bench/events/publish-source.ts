import { toProgress, type ProgressState } from '../../../src/record/progress.ts';
import { openRedis } from '../lib/open-redis.ts';
import type { EventSource } from './event-source.ts';
import { PROGRESS_CHANNEL } from './progress-channel.ts';

/** Opens the events of the bare server: it publishes the same Progress document that the service answers with. */
export async function openPublishSource(redisUrl: string, ids: readonly string[]): Promise<EventSource> {
  const connection = openRedis(redisUrl);
  await new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  const versions = ids.map(() => 1);
  return {
    ready: () => Promise.resolve([...versions]),
    fire(slot) {
      const version = (versions[slot] = (versions[slot] ?? 0) + 1);
      const id = ids[slot] ?? '';
      return { version, done: connection.publish(PROGRESS_CHANNEL + id, JSON.stringify(progressOf(id, version))) };
    },
  };
}

function progressOf(id: string, version: number) {
  const nowMs = Date.now();
  const state: ProgressState = {
    id,
    version,
    publicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    state: 'processing',
    percent: 42,
    stage: 'variants',
    receivedBytes: 3_000_000,
    totalBytes: 3_000_000,
    attempt: 1,
    attemptBase: 0,
    updatedAtMs: nowMs,
    phaseStartedAtMs: nowMs,
    phaseStartPercent: 30,
    stored: true,
    deleted: false,
  };
  return toProgress(state, { nowMs, queuePosition: null });
}
