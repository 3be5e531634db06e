import { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import { lookAgainAfter } from './look-again.ts';
import type { ProgressState } from './progress.ts';

/** Tells `hold` to look at the records: the event alone does not decide. */
export const LOOK = Symbol('look');

/** A Redis that says nothing holds nobody up for longer at the end; below the manager's own limit, past which the answer is a 503. */
const LAST_LOOK_MS = 2000;

/** What somebody waits for, and how it is answered. */
export interface Wait<Answer> {
  /** Uploads whose changes may end the wait. */
  ids: readonly string[];
  /** Undefined leaves it to the manager's default. */
  timeoutMs: number | undefined;
  /** Reads the records. Undefined when the wait goes on. What it throws is the answer. */
  look(): Promise<Answer | undefined>;
  /** Decides by an event: an answer, `LOOK`, or undefined when it does not end the wait. */
  heard(event: ProgressState): Answer | typeof LOOK | undefined;
  /** The answer when the time is up and a last look has found nothing, from the last state seen. */
  timeoutValue(): Answer;
}

const wokenBy = new WeakMap<object, number>();

/** When the event was made that resolved the result; undefined where no event did. For the measure of wake latency. */
export function eventTimeOf(result: object): number | undefined {
  return wokenBy.get(result);
}

/**
 * Holds an answer until a change of a record decides it. State is the truth and events are wake-ups:
 * the waiter registers first, then looks, then waits to be woken, and looks once more when its time is
 * up, so that an event may be lost, late, doubled or out of order. Rejects with what the first look threw.
 */
export async function hold<Answer>(
  registry: Registry<ProgressState>,
  wait: Wait<Answer>,
): Promise<DeferredResult<Answer>> {
  const result: DeferredResult<Answer> = new DeferredResult({
    ...(wait.timeoutMs === undefined ? {} : { timeoutMs: wait.timeoutMs }),
    timeoutResult: () => lastLook(wait),
  });
  const looker = new Looker(result, wait);
  const release = registry.register(wait.ids, (event) => looker.woken(event));
  result.onCompletion(() => {
    release();
    looker.stop();
  });
  try {
    const listening = registry.listening(wait.ids);
    if (listening !== undefined) await listening;
    await looker.look();
    return result;
  } catch (error) {
    release();
    looker.stop();
    throw error;
  }
}

/** Where the records cannot be read at the very end, or not soon, the last state seen is the timeout value. */
async function lastLook<Answer>(wait: Wait<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, LAST_LOOK_MS, undefined)));
  try {
    const answer = await Promise.race([wait.look().catch(() => undefined), late]);
    return answer ?? wait.timeoutValue();
  } finally {
    clearTimeout(timer);
  }
}

/** Looks one at a time; a wake that comes during a look makes it look again. */
class Looker<Answer> {
  readonly #result: DeferredResult<Answer>;
  readonly #wait: Wait<Answer>;
  #isLooking = false;
  #wasWoken = false;
  #isOver = false;
  #again: NodeJS.Timeout | undefined;

  constructor(result: DeferredResult<Answer>, wait: Wait<Answer>) {
    this.#result = result;
    this.#wait = wait;
  }

  /** Rejects with what a look threw, unless a wake during it asks for another. */
  async look(eventAtMs?: number): Promise<void> {
    this.#isLooking = true;
    try {
      do {
        this.#wasWoken = false;
        const answer = await this.#wait.look().catch((error: unknown) => {
          if (!this.#wasWoken) throw error;
          return undefined;
        });
        if (answer !== undefined) this.#resolve(answer, eventAtMs);
      } while (this.#wasWoken && !this.#result.isSetOrExpired());
    } finally {
      this.#isLooking = false;
    }
  }

  woken(event: ProgressState | undefined): void {
    const decision = event === undefined ? LOOK : this.#wait.heard(event);
    if (decision === undefined) return;
    if (decision !== LOOK) this.#resolve(decision, event?.eventAtMs);
    else if (this.#isLooking) this.#wasWoken = true;
    else this.look(event?.eventAtMs).catch((error: unknown) => this.#lookAgainAfter(error));
  }

  /** Looks no more by itself. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#again);
  }

  #lookAgainAfter(error: unknown): void {
    clearTimeout(this.#again);
    if (!this.#isOver && !this.#result.isSetOrExpired())
      this.#again = lookAgainAfter(error, () => this.woken(undefined));
  }

  #resolve(answer: Answer, eventAtMs: number | undefined): void {
    if (this.#result.setResult(answer) && eventAtMs !== undefined) wokenBy.set(this.#result, eventAtMs);
  }
}
