import { Registry } from '../deferred/registry.ts';
import { openWaitingConnection } from '../queue/connection.ts';
import type { EventFeed } from '../queue/event-feed.ts';
import { openEventStream } from '../queue/event-stream.ts';
import type { RedisPlace } from '../queue/redis-place.ts';
import type { DecodeEntry } from '../queue/stream-reads.ts';
import type { Logger } from '../telemetry/log.ts';
import { completedJob, failedJob, type JobState } from './job-state.ts';

/** A change of a job. */
export interface JobEvent {
  /** As made by `jobKey`. */
  readonly id: string;
  /** The last state, if the event ends the job. Undefined: the job must be read. */
  readonly last: JobState | undefined;
}

/** The events of some queues. */
export interface JobEvents {
  /** The waiters, by `jobKey`. */
  readonly registry: Registry<JobEvent>;
  /** Resolves when the events of all queues arrive, so it takes as long as Redis is away. */
  readonly opened: Promise<unknown>;
  close(): Promise<void>;
}

/** The Redis and the prefix of the queues. */
export interface QueuesPlace {
  readonly redis: RedisPlace;
  readonly prefix: string;
  readonly queues: readonly string[];
}

/** Returns a name that is unique among the jobs of all queues, because no queue has a colon in its name. */
export function jobKey(queue: string, id: string): string {
  return `${queue}:${id}`;
}

/** Reads the event streams of the queues. Each takes two connections. */
export function openJobEvents({ redis, prefix, queues }: QueuesPlace, log: Logger): JobEvents {
  const registry = new Registry<JobEvent>({
    onFault: (error) => log.error({ err: error }, 'waiter callback failed'),
    listen(keys) {
      for (const feed of feeds) void feed.listen(keys);
      return undefined;
    },
  });
  const feeds: EventFeed[] = queues.map((queue) => {
    const changed = (id: string, data: string | undefined): void => {
      const key = jobKey(queue, id);
      if (registry.has(key)) registry.wake(key, { id: key, last: lastState(data) });
    };
    const missed = (): void => registry.wakeAll();
    const hasWaiters = (): boolean => registry.size > 0;
    const keys = { events: `${prefix}:${queue}:events` };
    return openEventStream(openWaitingConnection(redis, log), keys, { changed, missed, hasWaiters }, log, anyJobEvent);
  });
  return {
    registry,
    opened: Promise.all(feeds.map(({ opened }) => opened)),
    async close() {
      await Promise.all(feeds.map((feed) => feed.close()));
    },
  };
}

/** Puts the name of the event before the outcome, which only `completed` and `failed` have. */
const anyJobEvent: DecodeEntry = (fieldOf) => {
  const event = fieldOf('event');
  const payload = event === 'completed' ? fieldOf('returnvalue') : event === 'failed' ? fieldOf('failedReason') : '';
  return { jobId: fieldOf('jobId'), data: `${event ?? ''} ${payload ?? ''}` };
};

function lastState(data = ''): JobState | undefined {
  const at = data.indexOf(' ');
  const event = data.slice(0, at);
  if (event === 'completed') return completedJob(data.slice(at + 1));
  return event === 'failed' ? failedJob(data.slice(at + 1)) : undefined;
}
