import type { Problem, ProgressList } from '../wire/documents.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import { PollTimeout } from './poll-timeout.ts';
import type { Http } from './http.ts';
import { createAbortableDelays, type AbortableDelays } from './abortable-delays.ts';
import type { Tuning } from './tuning.ts';
import { asUploadError, type UploadError } from './upload-error.ts';
import { type WatchTarget, WatchedUpload } from './watched-upload.ts';
import { isProgressList } from './wire.ts';

/** Maximum number of uploads in one request, as the server allows. */
export const MAX_WATCHED = 100;

/** A request is lost if no answer arrives within its hold time plus this. */
const GRACE_MS = 10_000;
/** Interval of the check for lost requests. A single long timer would stand still while the machine sleeps. */
const CHECK_MS = 5000;
/** `wake` does not repeat a request that is younger than this. */
const RECENT_MS = 1000;

/** Called with false, the time to the next try and the reason if a request fails, and with true when one succeeds. */
export type ConnectionListener = (connected: boolean, nextTryMs?: number, problem?: Problem) => void;

/** A target that is being watched. */
export interface Watching {
  /** Reports a version that another request returned, so that it is not requested again. */
  seen(version: number): void;
  release(): void;
}

/**
 * State of the connection to the server. `suspect`: a held request was cut, either by the network or by a proxy that
 * does not allow held requests. `lost`: any other failure. Unless it is `ok`, requests ask for an immediate answer.
 */
type Link = 'ok' | 'suspect' | 'lost';

interface HeldRequest {
  readonly asked: ReadonlyMap<WatchedUpload, number>;
  readonly startedAtMs: number;
  /** The time for which the server may hold the answer; 0 asks for an immediate one. */
  readonly holdMs: number;
  readonly controller: AbortController;
  interruption?: ReturnType<typeof setTimeout>;
}

/**
 * Watches all open uploads with one held request at a time. Each request contains the last known versions, so no change
 * between two requests is lost. The ids of the targets must differ, and there are at most MAX_WATCHED of them.
 */
export class ProgressWatch {
  readonly #http: Http;
  readonly #tuning: Tuning;
  readonly #onConnection: ConnectionListener;
  readonly #entries = new Map<string, WatchedUpload>();
  readonly #delays: AbortableDelays = createAbortableDelays();
  readonly #backoff: Backoff;
  readonly #pollTimeout: PollTimeout;
  #running = false;
  #held: HeldRequest | null = null;
  #link: Link = 'ok';
  #notBeforeMs = 0;
  #backOffUntilMs = 0;

  constructor(http: Http, tuning: Tuning, onConnection: ConnectionListener) {
    this.#http = http;
    this.#tuning = tuning;
    this.#onConnection = onConnection;
    this.#backoff = createBackoff({ firstMs: tuning.firstRetryMs, longestMs: tuning.longestRetryMs });
    this.#pollTimeout = new PollTimeout(tuning.holdMs);
  }

  /** @param delayMs leaves the target out of requests for this time, unless its version is reported before. */
  add(target: WatchTarget, delayMs = 0): Watching {
    const entry = new WatchedUpload(target, Date.now() + delayMs, this.#tuning.gapMs);
    this.#entries.set(target.id, entry);
    this.#replan();
    return {
      seen: (version) => {
        entry.seen(version);
        this.#replan();
      },
      release: () => {
        if (this.#entries.get(target.id) === entry) this.#entries.delete(target.id);
        if (this.#entries.size === 0) this.#held?.controller.abort();
      },
    };
  }

  /**
   * Repeats the request at once, for example when the network is back, because the held one may use a dead connection.
   */
  wake(): void {
    this.#backOffUntilMs = 0;
    this.#delays.endAll();
    if (this.#held && Date.now() - this.#held.startedAtMs > RECENT_MS) this.#held.controller.abort();
  }

  #replan(): void {
    if (!this.#running) void this.#run();
    else if (this.#held) this.#planInterruption(this.#held);
    else this.#delays.endAll();
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Uploads that are added in the same tick go into the first request.
    await Promise.resolve();
    while (this.#entries.size > 0) {
      const waitMs = this.#nextAtMs() - Date.now();
      if (waitMs > 0) await this.#delays.delay(waitMs);
      else await this.#ask();
    }
    this.#running = false;
  }

  #nextAtMs(): number {
    const soonestMs = Math.min(...[...this.#entries.values()].map((entry) => entry.askAtMs));
    return Math.max(soonestMs, this.#notBeforeMs, this.#backOffUntilMs);
  }

  async #ask(): Promise<void> {
    const startedAtMs = Date.now();
    const holdMs = this.#link === 'ok' ? this.#pollTimeout.ms(startedAtMs) : 0;
    const held: HeldRequest = { asked: this.#due(startedAtMs), startedAtMs, holdMs, controller: new AbortController() };
    let isSilent = false;
    const check = setInterval(() => {
      const lateMs = Date.now() - startedAtMs - holdMs - GRACE_MS;
      // If the check itself is far too late, the machine has slept, and the connection may be fine.
      isSilent = lateMs > 0 && lateMs < 2 * CHECK_MS;
      if (lateMs > 0) held.controller.abort();
    }, CHECK_MS);
    this.#held = held;
    this.#planInterruption(held);
    try {
      const { signal } = held.controller;
      this.#answered(await this.#http.request(pathOf(held.asked, holdMs), isProgressList, { signal }), held);
    } catch (error) {
      this.#failed(asUploadError(error), held, isSilent);
    } finally {
      clearInterval(check);
      clearTimeout(held.interruption);
      this.#held = null;
    }
  }

  #due(nowMs: number): Map<WatchedUpload, number> {
    const due = [...this.#entries.values()].filter((entry) => entry.askAtMs <= nowMs).slice(0, MAX_WATCHED);
    return new Map(due.map((entry) => [entry, entry.cursor]));
  }

  /** Aborts the held request when another upload is due. The next request covers both, so nothing is lost. */
  #planInterruption(held: HeldRequest): void {
    clearTimeout(held.interruption);
    if (held.asked.size >= MAX_WATCHED) return;
    const left = [...this.#entries.values()].filter((entry) => !held.asked.has(entry));
    if (left.length === 0) return;
    const atMs = Math.max(held.startedAtMs + this.#tuning.gapMs, Math.min(...left.map((entry) => entry.askAtMs)));
    held.interruption = setTimeout(() => held.controller.abort(), Math.max(0, atMs - Date.now()));
  }

  #answered({ uploads, timedOut }: ProgressList, { asked, holdMs }: HeldRequest): void {
    const nowMs = Date.now();
    // The network works, so a proxy has cut the held request.
    if (this.#link === 'suspect') this.#pollTimeout.shorten(nowMs);
    this.#notBeforeMs = nowMs + (holdMs === 0 && this.#link === 'ok' ? this.#tuning.pollMs : this.#tuning.gapMs);
    this.#link = 'ok';
    this.#backoff.reset();
    this.#onConnection(true);
    if (timedOut && holdMs > 0) for (const entry of asked.keys()) entry.heldWithoutChange();
    for (const item of uploads) {
      const entry = this.#entries.get(item.id);
      const cursor = entry && asked.get(entry);
      if (entry && cursor !== undefined) entry.answered(item, cursor);
    }
  }

  #failed(error: UploadError, { holdMs }: HeldRequest, isSilent: boolean): void {
    // Aborted for another upload, by `wake`, or because no upload is left. This is not an error of the network.
    if (error.code === 'aborted' && !isSilent) return;
    const wasCut = isSilent || error.code === 'connection_lost' || error.status === 502 || error.status === 504;
    this.#link = wasCut && holdMs > 0 ? 'suspect' : 'lost';
    this.#backOffUntilMs = Date.now() + this.#backoff.nextMs(error.retryAfterMs);
    if (this.#link === 'lost') this.#onConnection(false, this.#backOffUntilMs - Date.now(), error.problem);
  }
}

function pathOf(asked: ReadonlyMap<WatchedUpload, number>, holdMs: number): string {
  const query = [...asked].map(([{ target }, version]) => `upload=${target.id}~${version}`);
  return `/progress?${[...query, `timeout=${holdMs}`].join('&')}`;
}
