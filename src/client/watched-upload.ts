import type { Problem, Progress, ProgressList } from '../wire/documents.ts';

/** The longest pause between two requests for an upload that is unknown or final. */
const MAX_POSTPONEMENT_MS = 2000;

/** Receives the progress of one upload. Neither method may throw. */
export interface WatchTarget {
  readonly id: string;
  /** Called with each progress that differs from the previous one. */
  onProgress(progress: Progress): void;
  /** Called if the server cannot report the upload. The request is repeated later unless the watch is released. */
  onProblem(problem: Problem): void;
}

/** The last known version of one upload, and the time of the next request for it. */
export class WatchedUpload {
  readonly target: WatchTarget;
  readonly #gapMs: number;
  #version = 0;
  #askAtMs: number;
  #postponements = 0;
  /** The last known position. It can change without a new version. */
  #queuePosition: number | null = null;
  #isPositionStale = false;

  constructor(target: WatchTarget, askAtMs: number, gapMs: number) {
    this.target = target;
    this.#askAtMs = askAtMs;
    this.#gapMs = gapMs;
  }

  /** The upload is left out of requests before this time. */
  get askAtMs(): number {
    return this.#askAtMs;
  }

  /** The version to send with the next request; 0 asks for an immediate answer. */
  get cursor(): number {
    return this.#isPositionStale ? 0 : this.#version;
  }

  /** Takes over a version that another request returned. */
  seen(version: number): void {
    this.#version = version;
    this.#askAtMs = 0;
  }

  /** Call it if a held request timed out. The queue position may have changed meanwhile without a new version. */
  heldWithoutChange(): void {
    this.#isPositionStale = this.#queuePosition !== null;
  }

  /** Takes over the answer to a request that was sent with `cursor`. */
  answered(item: ProgressList['uploads'][number], cursor: number): void {
    // A version that arrived during the request is newer than its answer. Otherwise a lower version is a restored
    // record.
    const isOutdated = this.cursor !== cursor;
    if (isOutdated && ('error' in item || item.version < this.#version)) return;
    if ('error' in item) this.#missed(item.error);
    else this.#moved(item);
  }

  #moved(progress: Progress): void {
    const isChanged = progress.version !== this.#version || progress.queuePosition !== this.#queuePosition;
    this.#version = progress.version;
    this.#queuePosition = progress.queuePosition;
    this.#isPositionStale = false;
    // The server answers at once for a final upload, so continuing to watch it would be a busy loop.
    if (progress.final) this.#postpone();
    else this.#postponements = 0;
    if (isChanged) this.target.onProgress(progress);
  }

  #missed(problem: Problem): void {
    this.#postpone();
    this.target.onProblem(problem);
  }

  #postpone(): void {
    this.#askAtMs = Date.now() + Math.min(MAX_POSTPONEMENT_MS, this.#gapMs * 2 ** this.#postponements);
    this.#postponements += 1;
  }
}
