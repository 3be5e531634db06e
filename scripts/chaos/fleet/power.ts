import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const SAMPLE_MS = 100;
/** `appendfsync everysec` promises no more than that. */
const LOST_MS = 1000;

/** The log of a redis-server as its disk would have it: what was written in the last second is lost with the machine. */
export class LosingLog {
  readonly #directory: string;
  readonly #samples: { atMs: number; sizes: ReadonlyMap<string, number> }[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param directory that of the server; its log lies in `appendonlydir` there */
  constructor(directory: string) {
    this.#directory = join(directory, 'appendonlydir');
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Cuts off what the last second has brought, and returns how many bytes. To be called when the server is dead. */
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
