import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from '../version.ts';
import { EventLoopLag } from './event-loop-lag.ts';

/** Names of all metrics of the service begin with this. Metrics of Node have the names that all Node programs use. */
const PREFIX = 'deferred_uploads_';

/** prom-client names these gauges like counters, so `promtool` rejects them. Other gauges have the same numbers. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The longest period of a timer, so that prom-client's own measurement of the event loop never runs. */
const NEVER_MS = 2 ** 31 - 1;

/** The members of a lag reading. Each has a gauge, with the name that all Node programs use. */
const LAG_GAUGES = [
  ['min', 'The shortest time by which a timer was late.'],
  ['max', 'The longest time by which a timer was late.'],
  ['mean', 'The mean time by which timers were late.'],
  ['stddev', 'The standard deviation of the times by which timers were late.'],
  ['p50', 'Half of the timers were at most this late.'],
  ['p90', '90 % of the timers were at most this late.'],
  ['p99', '99 % of the timers were at most this late.'],
] as const;

/** A value that is read at each scrape. The metric is left out if it is undefined or rejects. */
type Reading<Value> = () => Promise<Value | undefined> | Value | undefined;

/** Values, each with the values of its labels in the order of the label names. */
type LabelledValues = Iterable<readonly [labels: readonly string[], value: number]>;

/** The metrics of one process in the text format of Prometheus. Names are given without their common prefix. */
export class MetricSet {
  readonly #registry = new Registry();

  /** @param ofProcess true to add the metrics of Node. They are measured until the process exits. */
  constructor(ofProcess: boolean) {
    if (ofProcess) {
      collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: NEVER_MS });
      for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
      this.#addLag();
    }
    new Gauge({
      name: `${PREFIX}build_info`,
      help: 'Versions of the service and of Node. The value is always 1.',
      labelNames: ['version', 'node_version'],
      registers: [this.#registry],
    }).set({ version: VERSION, node_version: process.version }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name: PREFIX + name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name: PREFIX + name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  /** @param buckets upper limits in seconds. */
  histogram<Label extends string>(
    name: string,
    help: string,
    { buckets, labelNames = [] }: { buckets: readonly number[]; labelNames?: readonly Label[] },
  ): Histogram<Label> {
    const options = { name: PREFIX + name, help, buckets: [...buckets], labelNames: [...labelNames] };
    return new Histogram({ ...options, registers: [this.#registry] });
  }

  /** Replaces the gauges of prom-client for the lag of the event loop. */
  #addLag(): void {
    const registers = [this.#registry];
    const nameOf = (part: string): string => `nodejs_eventloop_lag_${part}seconds`;
    const lag = new EventLoopLag();
    for (const part of ['', ...LAG_GAUGES.map(([member]) => `${member}_`)])
      this.#registry.removeSingleMetric(nameOf(part));
    // Gauges are read in this order, so the first one takes the reading for all.
    new Gauge({
      name: nameOf(''),
      help: 'Lag of the event loop now.',
      registers,
      async collect() {
        const reading = lag.take();
        for (const { member, gauge } of gauges) gauge.set(reading[member]);
        const startMs = performance.now();
        await new Promise((resolve) => setImmediate(resolve));
        this.set((performance.now() - startMs) / 1000);
      },
    });
    const gauges = LAG_GAUGES.map(([member, help]) => ({
      member,
      gauge: new Gauge({ name: nameOf(`${member}_`), help: `${help} Since the last scrape.`, registers }),
    }));
  }

  /** Registers a gauge that is read at each scrape. */
  readGauge(name: string, help: string, read: Reading<number>): void {
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      async collect() {
        this.remove();
        const value = await settled(read);
        if (value !== undefined) this.set(value);
      },
    });
  }

  /** Registers a gauge with labels that is read at each scrape. */
  readGauges(name: string, help: string, labelNames: readonly string[], read: Reading<LabelledValues>): void {
    new Gauge(this.#readOptions(name, help, labelNames, read));
  }

  /** Registers a counter whose total is read at each scrape. */
  readCounters(name: string, help: string, labelNames: readonly string[], read: Reading<LabelledValues>): void {
    new Counter(this.#readOptions(name, help, labelNames, read));
  }

  #readOptions(name: string, help: string, labelNames: readonly string[], read: Reading<LabelledValues>) {
    return {
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      // This sets a gauge too: after the reset it has the added value.
      async collect(this: Pick<Gauge | Counter, 'reset' | 'inc'>) {
        this.reset();
        for (const [labels, value] of (await settled(read)) ?? []) this.inc(labelled(labelNames, labels), value);
      },
    };
  }
}

async function settled<Value>(read: Reading<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
