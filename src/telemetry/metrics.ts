import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { RecentWakes } from './recent-wakes.ts';

/** Seconds; held responses live up to a minute, a wake lasts about a millisecond. */
const HELD_SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 30, 60];

/** Seconds, from well under a millisecond. */
const WAKE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

/** What is read at the moment of a scrape. */
export interface Readings {
  held: () => number;
  waiters: () => number;
  receiving: () => number;
  eventsHeard: () => number;
  /** Undefined, or a rejection, while Redis is away; the figures are left out then. */
  jobCounts: () => Promise<{ waiting: number; active: number; delayed: number } | undefined>;
  /** Likewise. */
  backlog: () => Promise<BacklogReading | undefined>;
  /** Likewise. */
  workersAlive: () => Promise<number | undefined>;
  /** Likewise. */
  workersPaused: () => Promise<number | undefined>;
  queueCapacity: number;
}

interface BacklogReading {
  waiting: number;
  drainedPerMinute: number | undefined;
}

/** The figures of one API process, in Prometheus' text format. */
export class Metrics {
  /** Of the last minute, for people who look on. */
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
    help: 'Responses held now, by route.',
    labelNames: ['route'],
    registers: [this.#registry],
  });
  readonly #wakeSeconds = new Histogram({
    name: 'deferred_wake_seconds',
    help: 'From the creation of an event to the last byte of the answer that it resolved.',
    buckets: WAKE_SECONDS,
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'queue_refused_total',
    help: 'Times that an upload found no room in the queue, by the code of its refusal.',
    labelNames: ['code'],
    registers: [this.#registry],
  });
  readonly #discarded = new Counter({
    name: 'queue_discarded_total',
    help: 'Uploads that made room in the queue for another one.',
    registers: [this.#registry],
  });
  readonly #heldSeconds = new Histogram({
    name: 'deferred_held_seconds',
    help: 'How long responses were held.',
    labelNames: ['route'],
    buckets: HELD_SECONDS,
    registers: [this.#registry],
  });

  constructor(readings: Readings) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('deferred_held', 'Responses held now.', readings.held);
    this.#gauge('deferred_waiters', 'Waiters registered now.', readings.waiters);
    this.#gauge('uploads_receiving', 'Request bodies being received now.', readings.receiving);
    this.#eventsHeard(readings);
    this.#gauge(
      'queue_capacity',
      'Uploads that may wait for a worker, over all processes.',
      () => readings.queueCapacity,
    );
    this.#jobs(readings);
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
      'Uploads that leave the queue in a minute, as of late.',
      ({ drainedPerMinute }) => drainedPerMinute ?? 0,
    );
  }

  /** Responses held now, by route; those that hold none are left out. */
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

  #eventsHeard({ eventsHeard }: Readings): void {
    new Counter({
      name: 'events_heard_total',
      help: 'Events heard since the start.',
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(eventsHeard());
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

  #jobs(readings: Readings): void {
    new Gauge({
      name: 'queue_jobs',
      help: 'Jobs of the queue, by state.',
      labelNames: ['state'],
      registers: [this.#registry],
      async collect() {
        this.reset();
        const counts = await readings.jobCounts().catch(() => undefined);
        if (counts === undefined) return;
        for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
      },
    });
  }

  /** Each asks for itself: the registry reads them side by side. */
  #ofBacklog(readings: Readings, name: string, help: string, figureIn: (figures: BacklogReading) => number): void {
    this.#readGauge(name, help, async () => {
      const figures = await readings.backlog();
      return figures === undefined ? undefined : figureIn(figures);
    });
  }

  /** Left out if `read` answers undefined or rejects. */
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
