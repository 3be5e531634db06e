import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { RecentWakes } from './recent-wakes.ts';

/** Bucket limits in seconds. A response is held for up to a minute. */
const HELD_SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 30, 60];

/** Bucket limits in seconds. A wake-up takes about a millisecond. */
const WAKE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

/** Values that are read at each scrape. */
export interface Readings {
  /** True to add the metrics of Node: memory, event loop and garbage collection. They are measured until it exits. */
  ofProcess?: boolean;
  held: () => number;
  waiters: () => number;
  receiving: () => number;
  eventsReceived: () => number;
  /** Undefined or a rejection while Redis is away. The metric is then left out. */
  jobCounts: () => Promise<{ waiting: number; active: number; delayed: number } | undefined>;
  /** Likewise. */
  backlog: () => Promise<BacklogReading | undefined>;
  /** Likewise. */
  waitingByKind: () => Promise<ReadonlyMap<string, number> | undefined>;
  /** Likewise. */
  workersAlive: () => Promise<number | undefined>;
  /** Likewise. */
  workersPaused: () => Promise<number | undefined>;
  /** Likewise. */
  deliveries: () => Promise<DeliveryReading | undefined>;
  queueCapacity: number;
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

/** The metrics of one API process in the Prometheus text format. */
export class Metrics {
  /** Latencies of the last minute, for the operators' page. */
  readonly recentWakes = new RecentWakes();
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [this.#registry],
  });
  readonly #ended = new Counter({
    name: 'deferred_responses_total',
    help: 'Held responses ended, by route and how they ended.',
    labelNames: ['route', 'ending'],
    registers: [this.#registry],
  });
  readonly #heldNow = new Gauge({
    name: 'deferred_held_by_route',
    help: 'Responses that are held now, by route.',
    labelNames: ['route'],
    registers: [this.#registry],
  });
  readonly #wakeSeconds = new Histogram({
    name: 'deferred_wake_seconds',
    help: 'Time from the creation of an event to the last byte of the response that it resolved.',
    buckets: WAKE_SECONDS,
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'queue_refused_total',
    help: 'Uploads rejected because the queue was full, by error code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });
  readonly #discarded = new Counter({
    name: 'queue_discarded_total',
    help: 'Uploads evicted from the full queue in favour of a newer one.',
    registers: [this.#registry],
  });
  readonly #heldSeconds = new Histogram({
    name: 'deferred_held_seconds',
    help: 'Time for which responses were held.',
    labelNames: ['route'],
    buckets: HELD_SECONDS,
    registers: [this.#registry],
  });

  constructor(readings: Readings) {
    if (readings.ofProcess === true) collectDefaultMetrics({ register: this.#registry });
    this.#gauge('deferred_held', 'Responses that are held now.', readings.held);
    this.#gauge('deferred_waiters', 'Waiters registered now.', readings.waiters);
    this.#gauge('uploads_receiving', 'Request bodies being received now.', readings.receiving);
    this.#eventsReceived(readings);
    this.#gauge(
      'queue_capacity',
      'Maximum number of uploads that wait for a worker, over all processes.',
      () => readings.queueCapacity,
    );
    this.#labelled('queue_jobs', 'Permits in the queues of all kinds, by state.', 'state', async () => {
      const counts = await readings.jobCounts();
      return counts === undefined ? undefined : Object.entries(counts);
    });
    this.#labelled(
      'queue_waiting_by_kind',
      'Uploads that wait for a worker, over all processes, by file kind.',
      'kind',
      readings.waitingByKind,
    );
    this.#deliveries(readings);
    this.#readGauge('workers_alive', 'Worker processes that are alive, over all machines.', readings.workersAlive);
    this.#readGauge(
      'workers_paused',
      'Worker processes that take no jobs because the storage cannot be used, over all machines.',
      readings.workersPaused,
    );
    this.#ofBacklog(
      readings,
      'queue_waiting',
      'Uploads that wait for a worker, over all processes.',
      ({ waiting }) => waiting,
    );
    this.#ofBacklog(
      readings,
      'queue_drained_per_minute',
      'Recent number of uploads that leave the queue per minute.',
      ({ drainedPerMinute }) => drainedPerMinute ?? 0,
    );
  }

  #deliveries({ deliveries }: Readings): void {
    this.#readGauge('webhooks_pending', 'Webhooks that are not delivered yet, over all processes.', async () => {
      return (await deliveries())?.pending;
    });
    this.#readGauge('webhook_oldest_pending_seconds', 'Age of the oldest webhook that is not delivered.', async () => {
      const figures = await deliveries();
      return figures === undefined ? undefined : (figures.oldestPendingMs ?? 0) / 1000;
    });
    new Counter({
      name: 'webhook_tries_total',
      help: 'Tries to deliver a webhook, over all processes, by outcome: delivered, retried or abandoned.',
      labelNames: ['outcome'],
      registers: [this.#registry],
      async collect() {
        this.reset();
        const figures = await deliveries().catch(() => undefined);
        for (const [outcome, count] of Object.entries(figures?.tries ?? {})) this.inc({ outcome }, count);
      },
    });
  }

  /** Number of responses that are held now, by route. Routes without any are left out. */
  async heldByRoute(): Promise<Record<string, number>> {
    const { values } = await this.#heldNow.get();
    return Object.fromEntries(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [String(labels['route']), value]),
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  requestEnded(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status });
  }

  deferredBegun(route: string): void {
    this.#heldNow.inc({ route });
  }

  woken(latencyMs: number): void {
    this.#wakeSeconds.observe(latencyMs / 1000);
    this.recentWakes.add(latencyMs);
  }

  queueRefused(code: string): void {
    this.#refused.inc({ code });
  }

  queueDiscarded(): void {
    this.#discarded.inc();
  }

  deferredEnded(route: string, ending: string, heldMs: number): void {
    this.#heldNow.dec({ route });
    this.#ended.inc({ route, ending });
    this.#heldSeconds.observe({ route }, heldMs / 1000);
  }

  #eventsReceived({ eventsReceived }: Readings): void {
    new Counter({
      name: 'events_heard_total',
      help: 'Events received since the start of the process.',
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(eventsReceived());
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Registers a gauge with one label. It is left out if `read` resolves with undefined or rejects. */
  #labelled(
    name: string,
    help: string,
    label: string,
    read: () => Promise<Iterable<readonly [string, number]> | undefined>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      async collect() {
        this.reset();
        const counts = (await read().catch(() => undefined)) ?? [];
        for (const [value, count] of counts) this.set({ [label]: value }, count);
      },
    });
  }

  #ofBacklog(readings: Readings, name: string, help: string, figureIn: (figures: BacklogReading) => number): void {
    this.#readGauge(name, help, async () => {
      const figures = await readings.backlog();
      return figures === undefined ? undefined : figureIn(figures);
    });
  }

  /** Registers a gauge that is left out if `read` resolves with undefined or rejects. */
  #readGauge(name: string, help: string, read: () => Promise<number | undefined>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.remove();
        const figure = await read().catch(() => undefined);
        if (figure !== undefined) this.set(figure);
      },
    });
  }
}
