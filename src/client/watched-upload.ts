import type { Problem, Progress, ProgressList } from '../wire/documents.ts';

/** An upload that has nothing to tell yet is asked for less and less often, down to this. */
const LONGEST_POSTPONEMENT_MS = 2000;

/** Someone who wants to know how an upload goes. Neither method may throw. */
export interface WatchTarget {
  readonly id: string;
  /** Called with each standing that differs from the one before. */
  onProgress(progress: Progress): void;
  /** To end the watch, release it; otherwise the upload is asked for again a little later. */
  onProblem(problem: Problem): void;
}

/** What has been seen of one upload, and when it is asked for again. */
export class WatchedUpload {
  readonly target: WatchTarget;
  readonly #gapMs: number;
  #version = 0;
  #askAtMs: number;
  #misses = 0;
  /** As last told; it changes without the version. */
  #queuePosition: number | null = null;
  #isPositionStale = false;

  constructor(target: WatchTarget, askAtMs: number, gapMs: number) {
    this.target = target;
    this.#askAtMs = askAtMs;
    this.#gapMs = gapMs;
  }

  /** Not to be asked for before. */
  get askAtMs(): number {
    return this.#askAtMs;
  }

  /** The version to ask with; 0 where it is to be told anew. */
  get cursor(): number {
    return this.#isPositionStale ? 0 : this.#version;
  }

  /** A version has come another way: it may be asked for from there on. */
  seen(version: number): void {
    this.#version = version;
    this.#askAtMs = 0;
  }

  /** Nothing has moved for a whole hold; others may have left the queue meanwhile, of which its record tells nothing. */
  heldWithoutChange(): void {
    this.#isPositionStale = this.#queuePosition !== null;
  }

  /** Takes what was answered to a request with `cursor`. */
  answered(item: ProgressList['uploads'][number], cursor: number): void {
    // A version told meanwhile is newer than an answer that was on its way then; a lower one is a restored record.
    const overtaken = this.cursor !== cursor;
    if (overtaken && ('error' in item || item.version < this.#version)) return;
    if ('error' in item) this.#missed(item.error);
    else this.#moved(item);
  }

  #moved(progress: Progress): void {
    const isNews = progress.version !== this.#version || progress.queuePosition !== this.#queuePosition;
    this.#version = progress.version;
    this.#queuePosition = progress.queuePosition;
    this.#isPositionStale = false;
    // What is final is answered at once, however often: whoever watches it on must not make a loop of it.
    if (progress.final) this.#postpone();
    else this.#misses = 0;
    if (isNews) this.target.onProgress(progress);
  }

  #missed(problem: Problem): void {
    this.#postpone();
    this.target.onProblem(problem);
  }

  #postpone(): void {
    this.#askAtMs = Date.now() + Math.min(LONGEST_POSTPONEMENT_MS, this.#gapMs * 2 ** this.#misses);
    this.#misses += 1;
  }
}
