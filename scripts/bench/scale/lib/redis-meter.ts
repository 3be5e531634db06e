import { openRedis } from '../../lib/open-redis.ts';

/** One command as Redis has counted it; scripts are `evalsha`, and their commands are counted beside them. */
export interface CommandCost {
  readonly name: string;
  readonly calls: number;
  readonly usPerCall: number;
}

/** Reads what Redis has spent, over a connection of its own. To be closed. */
export class RedisMeter {
  readonly #connection;
  #cpuUs = 0;

  constructor(url: string) {
    this.#connection = openRedis(url);
  }

  /** From now on it counts anew. */
  async begin(): Promise<void> {
    await this.#connection.config('RESETSTAT');
    this.#cpuUs = await this.#mainThreadUs();
  }

  /** Processor time of the one thread that runs commands, since `begin`, in microseconds. */
  async cpuUs(): Promise<number> {
    return (await this.#mainThreadUs()) - this.#cpuUs;
  }

  /** Since `begin`, the costliest first. */
  async commands(): Promise<CommandCost[]> {
    const lines = await this.#infoLines('commandstats', 'cmdstat_');
    const costs = lines.map((line) => ({ name: line.slice(0, line.indexOf(':')), calls: figureIn(line, 'calls'), usPerCall: figureIn(line, 'usec_per_call') }));
    return costs.sort((one, other) => other.calls * other.usPerCall - one.calls * one.usPerCall);
  }

  /** What its data take, in bytes. */
  async memoryBytes(): Promise<number> {
    const [line = ''] = await this.#infoLines('memory', 'used_memory:');
    return Number(line);
  }

  /** Clients that are connected, this one not counted. */
  async connections(): Promise<number> {
    const [line = ''] = await this.#infoLines('clients', 'connected_clients:');
    return Number(line) - 1;
  }

  close(): void {
    this.#connection.disconnect();
  }

  async #mainThreadUs(): Promise<number> {
    const seconds = await this.#infoLines('cpu', 'used_cpu_');
    const main = seconds.filter((line) => line.includes('_main_thread:'));
    return main.reduce((sum, line) => sum + Number(line.slice(line.indexOf(':') + 1)), 0) * 1e6;
  }

  /** Lines of a section that begin so, without that beginning. */
  async #infoLines(section: string, beginning: string): Promise<string[]> {
    const lines = (await this.#connection.info(section)).split('\r\n');
    return lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
  }
}

function figureIn(line: string, name: string): number {
  return Number(new RegExp(`[:,]${name}=([\\d.]+)`).exec(line)?.[1]);
}
