import type { ProgressList } from '../wire/documents.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import { PollTimeout } from './poll-timeout.ts';
import type { Http } from './http.ts';
import { createAbortableDelays, type AbortableDelays } from './abortable-delays.ts';
import type { Tuning } from './tuning.ts';
import { asUploadError, type UploadError } from './upload-error.ts';
import { type WatchTarget, WatchedUpload } from './watched-upload.ts';
import { isProgressList } from './wire.ts';

/** The server's own bound for one request. */
export const MOST_WATCHED = 100;

/** Added to the hold before a silent request counts as lost: the answer needs time to travel. */
const GRACE_MS = 10_000;
/** How often that is looked at: timers stand still while a machine sleeps, its clock does not. */
const LOOK_MS = 5000;
/** A request that is younger is not begun anew by `wake`. */
const YOUNG_MS = 1000;

/** A target that is being watched. */
export interface Watching {
  /** Tells of a version that came another way, so that it is not asked for again. */
  seen(version: number): void;
  release(): void;
}

/**
 * What is thought of the way to the server: `sound`; `doubtful` after a held request was cut, which may be the
 * network's fault or the holding's; `lost` after any other failure. Where it is not sound, answers are asked for at once.
 */
type Link = 'sound' | 'doubtful' | 'lost';

interface HeldRequest {
  readonly asked: ReadonlyMap<WatchedUpload, number>;
  readonly startedAtMs: number;
  /** 0 asks for an answer at once. */
  readonly holdMs: number;
  readonly controller: AbortController;
  interruption?: ReturnType<typeof setTimeout>;
}

/**
 * One held request at a time over all open uploads. Each carries the version seen last, so
 * nothing is missed between two of them. At most MOST_WATCHED targets, each with an id of its own.
 */
export class ProgressWatch {
  readonly #http: Http;
  readonly #tuning: Tuning;
  readonly #onConnection: (connected: boolean) => void;
  readonly #entries = new Map<string, WatchedUpload>();
  readonly #delays: AbortableDelays = createAbortableDelays();
  readonly #backoff: Backoff;
  readonly #pollTimeout: PollTimeout;
  #running = false;
  #held: HeldRequest | null = null;
  #link: Link = 'sound';
  #notBeforeMs = 0;
  #backOffUntilMs = 0;

  constructor(http: Http, tuning: Tuning, onConnection: (connected: boolean) => void) {
    this.#http = http;
    this.#tuning = tuning;
    this.#onConnection = onConnection;
    this.#backoff = createBackoff({ firstMs: tuning.firstRetryMs, longestMs: tuning.longestRetryMs });
    this.#pollTimeout = new PollTimeout(tuning.holdMs);
  }

  /** `delayMs` keeps the target out of requests for a while, unless its version is told before. */
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

  /** Asks anew at once, as when the network is back: what is held may hang on a connection that is no more. */
  wake(): void {
    this.#backOffUntilMs = 0;
    this.#delays.endAll();
    if (this.#held && Date.now() - this.#held.startedAtMs > YOUNG_MS) this.#held.controller.abort();
  }

  #replan(): void {
    if (!this.#running) void this.#run();
    else if (this.#held) this.#planInterruption(this.#held);
    else this.#delays.endAll();
  }

  async #run(): Promise<void> {
    this.#running = true;
    // All that is added in the same breath goes into the first request.
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
    const holdMs = this.#link === 'sound' ? this.#pollTimeout.ms(startedAtMs) : 0;
    const held: HeldRequest = { asked: this.#due(startedAtMs), startedAtMs, holdMs, controller: new AbortController() };
    let isSilent = false;
    const look = setInterval(() => {
      const lateMs = Date.now() - startedAtMs - holdMs - GRACE_MS;
      // Far too late means that the machine has slept, which says nothing of the way to the server.
      isSilent = lateMs > 0 && lateMs < 2 * LOOK_MS;
      if (lateMs > 0) held.controller.abort();
    }, LOOK_MS);
    this.#held = held;
    this.#planInterruption(held);
    try {
      const { signal } = held.controller;
      this.#answered(await this.#http.request(pathOf(held.asked, holdMs), isProgressList, { signal }), held);
    } catch (error) {
      this.#failed(asUploadError(error), held, isSilent);
    } finally {
      clearInterval(look);
      clearTimeout(held.interruption);
      this.#held = null;
    }
  }

  #due(nowMs: number): Map<WatchedUpload, number> {
    const due = [...this.#entries.values()].filter((entry) => entry.askAtMs <= nowMs).slice(0, MOST_WATCHED);
    return new Map(due.map((entry) => [entry, entry.cursor]));
  }

  /** The held request gives way to one that has the newcomers too; what it would have told, its successor tells. */
  #planInterruption(held: HeldRequest): void {
    clearTimeout(held.interruption);
    if (held.asked.size >= MOST_WATCHED) return;
    const left = [...this.#entries.values()].filter((entry) => !held.asked.has(entry));
    if (left.length === 0) return;
    const atMs = Math.max(held.startedAtMs + this.#tuning.gapMs, Math.min(...left.map((entry) => entry.askAtMs)));
    held.interruption = setTimeout(() => held.controller.abort(), Math.max(0, atMs - Date.now()));
  }

  #answered({ uploads, timedOut }: ProgressList, { asked, holdMs }: HeldRequest): void {
    const nowMs = Date.now();
    // The network is there after all, so it was the holding that something on the way did not let pass.
    if (this.#link === 'doubtful') this.#pollTimeout.shorten(nowMs);
    this.#notBeforeMs = nowMs + (holdMs === 0 && this.#link === 'sound' ? this.#tuning.pollMs : this.#tuning.gapMs);
    this.#link = 'sound';
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
    // Aborted by a newcomer, by `wake`, or because nobody is left: no fault of the network.
    if (error.code === 'aborted' && !isSilent) return;
    const wasCut = isSilent || error.code === 'connection_lost' || error.status === 502 || error.status === 504;
    this.#link = wasCut && holdMs > 0 ? 'doubtful' : 'lost';
    this.#backOffUntilMs = Date.now() + this.#backoff.nextMs(error.retryAfterMs);
    if (this.#link === 'lost') this.#onConnection(false);
  }
}

function pathOf(asked: ReadonlyMap<WatchedUpload, number>, holdMs: number): string {
  const query = [...asked].map(([{ target }, version]) => `upload=${target.id}~${version}`);
  return `/progress?${[...query, `timeout=${holdMs}`].join('&')}`;
}
