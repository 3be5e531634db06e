import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from '../version.ts';

/** Every metric of the service begins so. Metrics of Node have the names that all Node programs use. */
const PREFIX = 'deferred_uploads_';

/** Gauges with the ending of a counter, which the checks of Prometheus reject. Others have the same numbers. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** A value that is read at each scrape. The metric is left out if it is undefined or rejects. */
export type Reading<Value> = () => Promise<Value | undefined> | Value | undefined;

/** Values by the values of the labels, in the order of their names. */
export type LabelledValues = Iterable<readonly [labels: readonly string[], value: number]>;

/** The metrics of one process in the text format of Prometheus. Names are given without their common prefix. */
export class MetricSet {
  readonly #registry = new Registry();

  /** @param ofProcess true to add the metrics of Node. They are measured until the process exits. */
  constructor(ofProcess: boolean) {
    if (ofProcess) {
      collectDefaultMetrics({ register: this.#registry });
      for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
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
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      async collect() {
        this.reset();
        for (const [labels, value] of (await settled(read)) ?? []) this.set(labelled(labelNames, labels), value);
      },
    });
  }

  /** Registers a counter whose total is read at each scrape. */
  readCounters(name: string, help: string, labelNames: readonly string[], read: Reading<LabelledValues>): void {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      async collect() {
        this.reset();
        for (const [labels, value] of (await settled(read)) ?? []) this.inc(labelled(labelNames, labels), value);
      },
    });
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
