import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const SAMPLE_MS = 100;
/** With `appendfsync everysec` Redis may lose the writes of this time. */
const LOST_MS = 1000;

/** The log of a redis-server after a power loss: the machine loses the writes of the last second. */
export class LosingLog {
  readonly #directory: string;
  readonly #samples: { atMs: number; sizes: ReadonlyMap<string, number> }[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param directory the directory of the server, which contains `appendonlydir` */
  constructor(directory: string) {
    this.#directory = join(directory, 'appendonlydir');
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Cuts off the writes of the last second and returns their number of bytes. Call it when the server is dead. */
  lose(): number {
    const nowMs = performance.now();
    const kept = this.#samples.findLast(({ atMs }) => atMs <= nowMs - LOST_MS);
    if (kept === undefined) return 0;
    let lost = 0;
    for (const [path, size] of this.#sizes()) {
      const synced = kept.sizes.get(path) ?? size;
      if (synced >= size) continue;
      truncateSync(path, synced);
      lost += size - synced;
    }
    return lost;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#samples.push({ atMs: performance.now(), sizes: this.#sizes() });
    if (this.#samples.length > (10 * LOST_MS) / SAMPLE_MS) this.#samples.shift();
  }

  #sizes(): Map<string, number> {
    try {
      const names = readdirSync(this.#directory).filter((name) => name.includes('.incr.'));
      return new Map(names.map((name) => [join(this.#directory, name), statSync(join(this.#directory, name)).size]));
    } catch {
      return new Map();
    }
  }
}
