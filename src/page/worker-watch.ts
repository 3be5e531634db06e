import type { LineModel } from './line-model.ts';

/** Time between two requests while an upload is queued, and before the first one. */
const PERIOD_MS = 5_000;

interface WorkerWatchParts {
  /** Number of running workers; undefined if it is unknown. */
  countWorkers: () => Promise<number | undefined>;
  show: (areNone: boolean) => void;
}

/** Checks every 5 seconds whether the server has a running worker while an upload is queued. */
export class WorkerWatch {
  readonly #parts: WorkerWatchParts;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: WorkerWatchParts) {
    this.#parts = parts;
  }

  /** Call it with all lines after every change. */
  follow(models: readonly Pick<LineModel, 'progress'>[]): void {
    const isWaiting = models.some(({ progress }) => progress?.state === 'queued');
    if (isWaiting) {
      this.#timer ??= setTimeout(() => void this.#check(), PERIOD_MS);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#parts.show(false);
  }

  async #check(): Promise<void> {
    const timer = this.#timer;
    const count = await this.#parts.countWorkers().catch(() => undefined);
    // The watch ended or restarted during the request.
    if (timer !== this.#timer) return;
    this.#parts.show(count === 0);
    this.#timer = setTimeout(() => void this.#check(), PERIOD_MS);
  }
}

/** Reads the number of running workers from `/readyz` of the service. */
export async function countWorkers(baseUrl: string): Promise<number | undefined> {
  const response = await fetch(`${baseUrl}/readyz`);
  if (!response.ok) return undefined;
  const body: unknown = await response.json();
  const isCounted = typeof body === 'object' && body !== null && 'workers' in body;
  return isCounted ? Number(body.workers) : undefined;
}
