import { loadConfig } from '../../../../src/settings/config.ts';
import { queueKeys } from '../../../../src/queue/contract.ts';
import { openRedis } from '../../lib/open-redis.ts';

const KEYS = queueKeys(loadConfig({}).queuePrefix);

/** One command as Redis counts it. Scripts are `evalsha`, and their commands are counted too. */
export interface CommandCost {
  readonly name: string;
  readonly calls: number;
  readonly usPerCall: number;
}

/** Calls `run` with a meter and closes the meter afterwards. */
export async function withRedisMeter<T>(url: string, run: (meter: RedisMeter) => Promise<T>): Promise<T> {
  const meter = new RedisMeter(url);
  try {
    return await run(meter);
  } finally {
    meter.close();
  }
}

/** Reads the processor time of Redis, over a separate connection. */
export class RedisMeter {
  readonly #connection;
  #cpuUs = 0;

  constructor(url: string) {
    this.#connection = openRedis(url);
  }

  /** Resets the counters. */
  async begin(): Promise<void> {
    await this.#connection.config('RESETSTAT');
    this.#cpuUs = await this.#mainThreadUs();
  }

  /** Returns the processor time of the thread that runs commands, since `begin`, in microseconds. */
  async cpuUs(): Promise<number> {
    return (await this.#mainThreadUs()) - this.#cpuUs;
  }

  /** Returns the commands since `begin`, the costliest first. */
  async commands(): Promise<CommandCost[]> {
    const lines = await this.#infoLines('commandstats', 'cmdstat_');
    const costs = lines.map((line) => ({
      name: line.slice(0, line.indexOf(':')),
      calls: figureIn(line, 'calls'),
      usPerCall: figureIn(line, 'usec_per_call'),
    }));
    return costs.sort((one, other) => other.calls * other.usPerCall - one.calls * one.usPerCall);
  }

  /**
   * Returns the bytes in Redis of the upload that became final last: its record, its public id, and its place in the
   * due set.
   */
  async newestRecordBytes(): Promise<number> {
    const [id = ''] = await this.#connection.zrange(KEYS.due, '-1', '-1');
    const publicId = (await this.#connection.hget(KEYS.record(id), 'publicId')) ?? '';
    // SAMPLES 0 measures all fields, because their sizes differ much.
    const bytesOf = async (key: string) => Number(await this.#connection.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
    const dueBytes = (await bytesOf(KEYS.due)) / (await this.#connection.zcard(KEYS.due));
    return (await bytesOf(KEYS.record(id))) + (await bytesOf(KEYS.publicId(publicId))) + dueBytes;
  }

  /** Returns the number of connected clients without this one. */
  async connections(): Promise<number> {
    const [line = ''] = await this.#infoLines('clients', 'connected_clients:');
    return Number(line) - 1;
  }

  /** Returns the bytes sent to clients since `begin`. */
  async sentBytes(): Promise<number> {
    const [line = ''] = await this.#infoLines('stats', 'total_net_output_bytes:');
    return Number(line);
  }

  /** Returns how often a command was called since `begin`. */
  async calls(name: string): Promise<number> {
    return (await this.commands()).find((command) => command.name === name)?.calls ?? 0;
  }

  close(): void {
    this.#connection.disconnect();
  }

  async #mainThreadUs(): Promise<number> {
    const seconds = await this.#infoLines('cpu', 'used_cpu_');
    const main = seconds.filter((line) => line.includes('_main_thread:'));
    return main.reduce((sum, line) => sum + Number(line.slice(line.indexOf(':') + 1)), 0) * 1e6;
  }

  /** Returns the lines of a section with this beginning, without it. */
  async #infoLines(section: string, beginning: string): Promise<string[]> {
    const lines = (await this.#connection.info(section)).split('\r\n');
    return lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
  }
}

function figureIn(line: string, name: string): number {
  return Number(new RegExp(`[:,]${name}=([\\d.]+)`).exec(line)?.[1]);
}
