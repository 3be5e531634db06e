import type { LineModel } from './line-model.ts';

/** How often the server is asked while something waits; the first time after one such pause. */
const PERIOD_MS = 5_000;

/** What the watch asks and where it shows the answer. */
export interface WorkerWatchParts {
  /** How many workers the server has; undefined if it does not say. */
  countWorkers: () => Promise<number | undefined>;
  show: (areNone: boolean) => void;
}

/** While uploads wait in the queue it looks whether there is a worker that could take them. */
export class WorkerWatch {
  readonly #parts: WorkerWatchParts;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: WorkerWatchParts) {
    this.#parts = parts;
  }

  /** To be called with all lines whenever one changes. */
  follow(models: readonly Pick<LineModel, 'progress'>[]): void {
    const isWaiting = models.some(({ progress }) => progress?.state === 'queued');
    if (isWaiting) {
      this.#timer ??= setTimeout(() => void this.#look(), PERIOD_MS);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#parts.show(false);
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const count = await this.#parts.countWorkers().catch(() => undefined);
    // Nothing waits any more.
    if (timer !== this.#timer) return;
    this.#parts.show(count === 0);
    this.#timer = setTimeout(() => void this.#look(), PERIOD_MS);
  }
}

/** Asks `/readyz`, which counts the workers that are alive. */
export async function countWorkers(): Promise<number | undefined> {
  const response = await fetch('/readyz');
  if (!response.ok) return undefined;
  const body: unknown = await response.json();
  const isCounted = typeof body === 'object' && body !== null && 'workers' in body;
  return isCounted ? Number(body.workers) : undefined;
}
