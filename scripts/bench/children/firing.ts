import { setTimeout as delay } from 'node:timers/promises';
import type { EventSource } from '../events/event-source.ts';
import { HELD_JOB_QUEUE } from '../events/job-queue.ts';
import { openJobSource } from '../events/job-source.ts';
import { openPublishSource } from '../events/publish-source.ts';
import { openRecordSource } from '../events/record-source.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { sharedNowUs, type Moment } from '../lib/shared-clock.ts';

const SOURCES = { record: openRecordSource, publish: openPublishSource, job: openOwnJobs, heldJob: openHeldJobs };

/** Where events come from: a record that is advanced, a message that is published, a job that ends. */
export type SourceName = keyof typeof SOURCES;

/** The process that creates the events, because workers are separate from the API too. */
export type FiringQuestions = {
  /** Prepares uploads with these ids, and removes the earlier ones. */
  open(options: {
    source: SourceName;
    redisUrl: string;
    ids: string[];
    settings: Readonly<Record<string, string>>;
  }): Promise<void>;
  /** Prepares this number of events and resolves with the current versions. Call it before clients poll. */
  ready(events: number): Promise<number[]>;
  /**
   * Creates an event for one upload after the other, from the given slot or from where it stopped. Without `perSecond`
   * it creates them as one burst. Resolves when all are accepted.
   */
  fire(options: { events: number; perSecond?: number; from?: number }): Promise<{ created: Moment[]; cpuUs: number }>;
};

function openOwnJobs(redisUrl: string, ids: readonly string[]): Promise<EventSource> {
  return openJobSource(redisUrl, ids);
}

function openHeldJobs(redisUrl: string, ids: readonly string[]): Promise<EventSource> {
  return openJobSource(redisUrl, ids, HELD_JOB_QUEUE);
}

const US_PER_SECOND = 1e6;

let source: EventSource | undefined;
let slots = 0;
let next = 0;

serveQuestions<FiringQuestions>({
  async open({ source: name, redisUrl, ids, settings }) {
    source = await SOURCES[name](redisUrl, ids, settings);
    slots = ids.length;
    next = 0;
  },
  ready: (events) => opened().ready(events),
  async fire({ events, perSecond, from = next }) {
    next = from;
    const usageBefore = process.cpuUsage();
    const created: Moment[] = [];
    const accepted: Promise<unknown>[] = [];
    const startedAtUs = sharedNowUs();
    for (let count = 0; count < events; count += 1) {
      if (perSecond !== undefined) await until(startedAtUs + (count / perSecond) * US_PER_SECOND);
      accepted.push(fireNext(created));
    }
    await Promise.all(accepted);
    const { user, system } = process.cpuUsage(usageBefore);
    return { created, cpuUs: user + system };
  },
});

function opened(): EventSource {
  if (source === undefined) throw new Error('nothing is open');
  return source;
}

function fireNext(created: Moment[]): Promise<unknown> {
  const slot = next++ % slots;
  const atUs = sharedNowUs();
  const { version, done } = opened().fire(slot);
  created.push({ slot, version, atUs });
  return done;
}

async function until(atUs: number): Promise<void> {
  const leftMs = (atUs - sharedNowUs()) / 1000;
  if (leftMs > 0) await delay(Math.ceil(leftMs));
}
