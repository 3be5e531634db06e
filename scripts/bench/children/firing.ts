import { setTimeout as delay } from 'node:timers/promises';
import type { EventSource } from '../events/event-source.ts';
import { openJobSource } from '../events/job-source.ts';
import { openPublishSource } from '../events/publish-source.ts';
import { openRecordSource } from '../events/record-source.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { sharedNowUs, type Moment } from '../lib/shared-clock.ts';

const SOURCES = { record: openRecordSource, publish: openPublishSource, job: openJobSource };

/** Where events come from: a record that is advanced, a message that is published, a job that ends. */
export type SourceName = keyof typeof SOURCES;

/** The process in which events are created, as workers are processes apart from the API. */
export type FiringQuestions = {
  /** Prepares uploads with these ids, which takes the place of those before. */
  open(options: {
    source: SourceName;
    redisUrl: string;
    ids: string[];
    settings: Readonly<Record<string, string>>;
  }): Promise<void>;
  /** Makes ready for so many events; resolves with the present versions. Call it before clients poll. */
  ready(events: number): Promise<number[]>;
  /**
   * Fires upload after upload, from the slot given or on from where it stopped; as one burst without
   * `perSecond`. Resolves when all are accepted.
   */
  fire(options: { events: number; perSecond?: number; from?: number }): Promise<{ created: Moment[]; cpuUs: number }>;
};

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
