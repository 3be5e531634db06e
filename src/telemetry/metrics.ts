import { addCommonMetrics, type CommonReadings } from './common-metrics.ts';
import { MetricSet } from './metric-set.ts';
import { RecentWakes } from './recent-wakes.ts';

/** Buckets of a response that is held for up to a minute. */
const HELD_SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 30, 60];

/** Buckets of a wake-up, which takes about a millisecond. */
const WAKE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

/** Buckets from a read of a record to the upload of a large file. */
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.5, 2, 10, 30, 60, 300, 1800];

/** Values that are read at each scrape. */
export interface Readings extends CommonReadings {
  /** True to add the metrics of Node: memory, event loop and garbage collection. They are measured until it exits. */
  ofProcess?: boolean;
  waiters: () => number;
  receiving: () => number;
  eventsReceived: () => number;
  // While Redis is away, the following readings are undefined or reject. Their metrics are then left out.
  jobCounts: () => Promise<{ waiting: number; active: number; delayed: number } | undefined>;
  backlog: () => Promise<BacklogReading | undefined>;
  waitingByKind: () => Promise<ReadonlyMap<string, number> | undefined>;
  /** Age of the oldest waiting upload; 0 if none waits. */
  oldestWaitingMs: () => Promise<number | undefined>;
  workersAlive: () => Promise<number | undefined>;
  workersPaused: () => Promise<number | undefined>;
  deliveries: () => Promise<DeliveryReading | undefined>;
  redisMemory: () => Promise<RedisMemory | undefined>;
  queueCapacity: number;
}

/** Memory of Redis in bytes. `maxBytes` is null without a limit. */
export interface RedisMemory {
  usedBytes: number;
  maxBytes: number | null;
}

interface DeliveryReading {
  tries: Readonly<Record<string, number>>;
  pending: number;
  oldestPendingMs: number | null;
}

interface BacklogReading {
  waiting: number;
  drainedPerMinute: number | undefined;
}

/** A request that has ended. */
export interface EndedRequest {
  method: string;
  route: string;
  status: number;
  durationMs: number;
  /** Bytes that its connection received since the last request, with headers. */
  receivedBytes: number;
}

/** The metrics of one API process in the Prometheus text format. */
export class Metrics {
  /** Latencies of the last minute, for the operators' page. */
  readonly recentWakes = new RecentWakes();
  readonly #set: MetricSet;
  readonly #requests;
  readonly #requestSeconds;
  readonly #receivedBytes;
  readonly #ended;
  readonly #heldNow;
  readonly #wakeSeconds;
  readonly #rejected;
  readonly #evicted;
  readonly #heldSeconds;

  constructor(readings: Readings) {
    const set = new MetricSet(readings.ofProcess === true);
    this.#set = set;
    const request = ['method', 'route'] as const;
    this.#requests = set.counter('http_requests_total', 'Requests answered, by method, route and status.', [
      ...request,
      'status',
    ]);
    this.#requestSeconds = set.histogram(
      'http_request_duration_seconds',
      'Time from the head of a request to the last byte of its answer. It includes the time that a response is held.',
      { buckets: REQUEST_SECONDS, labelNames: request },
    );
    this.#receivedBytes = set.counter('http_received_bytes_total', 'Bytes of requests, with their headers.');
    this.#ended = set.counter('held_responses_total', 'Held responses ended, by route and how they ended.', [
      'route',
      'ending',
    ]);
    this.#heldNow = set.gauge('held', 'Responses that are held now, by route.', ['route']);
    this.#heldSeconds = set.histogram('held_seconds', 'Time for which responses were held.', {
      buckets: HELD_SECONDS,
      labelNames: ['route'],
    });
    this.#wakeSeconds = set.histogram(
      'wake_seconds',
      'Time from the creation of an event to the last byte of the response that it resolved.',
      { buckets: WAKE_SECONDS },
    );
    this.#rejected = set.counter(
      'queue_rejected_total',
      'Uploads rejected because the queue was full, by error code.',
      ['code'],
    );
    this.#evicted = set.counter('queue_evicted_total', 'Uploads evicted from the full queue in favour of a newer one.');
    addCommonMetrics(set, readings);
    addProcessReadings(set, readings);
    addQueueReadings(set, readings);
    addInstallationReadings(set, readings);
  }

  /** Returns the number of responses that are held now, by route. Routes without any are left out. */
  async heldByRoute(): Promise<Record<string, number>> {
    const { values } = await this.#heldNow.get();
    return Object.fromEntries(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [String(labels['route']), value]),
    );
  }

  get contentType(): string {
    return this.#set.contentType;
  }

  async text(): Promise<string> {
    return await this.#set.text();
  }

  requestEnded({ method, route, status, durationMs, receivedBytes }: EndedRequest): void {
    this.#requests.inc({ method, route, status });
    this.#requestSeconds.observe({ method, route }, durationMs / 1000);
    this.#receivedBytes.inc(receivedBytes);
  }

  deferredBegun(route: string): void {
    this.#heldNow.inc({ route });
  }

  woken(latencyMs: number): void {
    this.#wakeSeconds.observe(latencyMs / 1000);
    this.recentWakes.add(latencyMs);
  }

  queueRefused(code: string): void {
    this.#rejected.inc({ code });
  }

  queueDiscarded(): void {
    this.#evicted.inc();
  }

  deferredEnded(route: string, ending: string, heldMs: number): void {
    this.#heldNow.dec({ route });
    this.#ended.inc({ route, ending });
    this.#heldSeconds.observe({ route }, heldMs / 1000);
  }
}

function addProcessReadings(set: MetricSet, readings: Readings): void {
  set.readGauge('waiters', 'Waiters registered now.', readings.waiters);
  set.readGauge('receiving', 'Request bodies being received now.', readings.receiving);
  set.readCounters('events_received_total', 'Events received since the start of the process.', [], () => [
    [[], readings.eventsReceived()],
  ]);
}

/** Adds the readings of the queue. Every API process reports the same, because Redis counts for all. */
function addQueueReadings(set: MetricSet, { jobCounts, waitingByKind, ...readings }: Readings): void {
  const backlog = sharedReading(readings.backlog);
  set.readGauge(
    'queue_capacity',
    'Maximum number of uploads that wait for a worker, over all processes.',
    () => readings.queueCapacity,
  );
  set.readGauge('queue_waiting', 'Uploads that wait for a worker, over all processes.', async () => {
    return (await backlog())?.waiting;
  });
  set.readGauges(
    'queue_waiting_by_kind',
    'Uploads that wait for a worker, over all processes, by file kind.',
    ['kind'],
    async () => byLabel(await waitingByKind()),
  );
  set.readGauge('queue_oldest_waiting_seconds', 'Age of the oldest upload that waits for a worker.', async () => {
    return seconds(await readings.oldestWaitingMs());
  });
  set.readGauge('queue_drained_per_second', 'Recent number of uploads that leave the queue per second.', async () => {
    const figures = await backlog();
    return figures === undefined ? undefined : (figures.drainedPerMinute ?? 0) / 60;
  });
  set.readGauges('queue_jobs', 'Permits in the queues of all kinds, by state.', ['state'], async () => {
    const counts = await jobCounts();
    return counts === undefined ? undefined : byLabel(Object.entries(counts));
  });
}

/** Adds the readings of workers, webhooks and the memory of Redis. */
function addInstallationReadings(set: MetricSet, readings: Readings): void {
  const deliveries = sharedReading(readings.deliveries);
  const redisMemory = sharedReading(readings.redisMemory);
  set.readGauge('workers_alive', 'Worker processes that are alive, over all machines.', readings.workersAlive);
  set.readGauge(
    'workers_paused',
    'Worker processes that take no jobs because the storage cannot be used, over all machines.',
    readings.workersPaused,
  );
  set.readGauge('webhooks_pending', 'Webhooks that are not delivered yet, over all processes.', async () => {
    return (await deliveries())?.pending;
  });
  set.readGauge('webhook_oldest_pending_seconds', 'Age of the oldest webhook that is not delivered.', async () => {
    const figures = await deliveries();
    return figures === undefined ? undefined : (figures.oldestPendingMs ?? 0) / 1000;
  });
  set.readCounters(
    'webhook_tries_total',
    'Tries to deliver a webhook, over all processes, by outcome: delivered, retried or abandoned.',
    ['outcome'],
    async () => byLabel(Object.entries((await deliveries())?.tries ?? {})),
  );
  set.readGauge('redis_used_memory_bytes', 'Memory that Redis uses.', async () => (await redisMemory())?.usedBytes);
  set.readGauge('redis_max_memory_bytes', 'Memory limit of Redis. Missing if it has none.', async () => {
    return (await redisMemory())?.maxBytes ?? undefined;
  });
}

function byLabel(counts: Iterable<readonly [string, number]> | undefined) {
  return counts === undefined ? undefined : [...counts].map(([label, count]) => [[label], count] as const);
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** Returns a reading whose calls share one result while it is being read, as several metrics of one scrape do. */
function sharedReading<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= read().finally(() => (running = undefined));
    return running;
  };
}
