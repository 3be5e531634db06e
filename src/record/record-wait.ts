import { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import type { ProgressState } from './progress.ts';
import { RecordSubscription, type RecordObserver } from './record-subscription.ts';

/** Returned by `RecordWait.decide` if the record has to be read: the event alone does not decide. */
export const RE_READ = Symbol('re-read');

/** Longest last read; below the manager's own limit, past which the answer would be a 503. */
const LAST_READ_MS = 2000;

/** What a client waits for, and how it is answered. */
export interface RecordWait<Answer> {
  /** Uploads whose changes may end the wait. */
  readonly ids: readonly string[];
  /** Undefined for the manager's default. */
  readonly timeoutMs: number | undefined;
  /** Reads the records of `ids`, some or all of its own. Returns undefined to go on waiting. An error of the first read is the answer. */
  read(ids: readonly string[]): Promise<Answer | undefined>;
  /** Decides by an event: an answer, `RE_READ`, or undefined to go on waiting. */
  decide(event: ProgressState): Answer | typeof RE_READ | undefined;
  /** The answer when the time is up and a last read has found nothing, made from the last state seen. */
  timeoutValue(): Answer;
  /**
   * Present if the wait must not fail: a first read that fails is tried again, and if no more responses may be held,
   * this is called and the timeout value is answered at once.
   */
  readonly notHeld?: (() => void) | undefined;
}

const wokenBy = new WeakMap<object, number>();

/** When the event was created that resolved the result; undefined if no event did. For the measure of wake latency. */
export function eventTimeOf(result: object): number | undefined {
  return wokenBy.get(result);
}

/**
 * Holds an answer until a change of a record decides it. When the time is up the records are read once more before the
 * timeout value is sent. Rejects with the error of the first read.
 */
export async function waitForRecords<Answer>(
  registry: Registry<ProgressState>,
  wait: RecordWait<Answer>,
): Promise<DeferredResult<Answer>> {
  const result: DeferredResult<Answer> = new DeferredResult({
    ...(wait.timeoutMs === undefined ? {} : { timeoutMs: wait.timeoutMs }),
    ...(wait.notHeld === undefined ? {} : { notHeld: wait.notHeld }),
    timeoutResult: () => lastRead(wait),
  });
  const subscription = new RecordSubscription(registry, new WaitObserver(result, wait));
  result.onCompletion(() => subscription.close());
  await subscription.open(wait.notHeld === undefined ? 'rejects' : 'retries');
  return result;
}

/** If the records cannot be read at the very end, or not soon, the last state seen is the timeout value. */
async function lastRead<Answer>(wait: RecordWait<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, LAST_READ_MS, undefined)));
  try {
    const answer = await Promise.race([wait.read(wait.ids).catch(() => undefined), late]);
    return answer ?? wait.timeoutValue();
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves a deferred result with what a wait decides. */
class WaitObserver<Answer> implements RecordObserver {
  readonly #result: DeferredResult<Answer>;
  readonly #wait: RecordWait<Answer>;

  constructor(result: DeferredResult<Answer>, wait: RecordWait<Answer>) {
    this.#result = result;
    this.#wait = wait;
  }

  get ids(): readonly string[] {
    return this.#wait.ids;
  }

  get isDone(): boolean {
    return this.#result.isSetOrExpired();
  }

  async read(ids: readonly string[], eventAtMs: number | undefined): Promise<void> {
    const answer = await this.#wait.read(ids);
    if (answer !== undefined) this.#resolve(answer, eventAtMs);
  }

  changed(event: ProgressState): boolean {
    const decision = this.#wait.decide(event);
    if (decision === RE_READ) return false;
    if (decision !== undefined) this.#resolve(decision, event.eventAtMs);
    return true;
  }

  #resolve(answer: Answer, eventAtMs: number | undefined): void {
    if (this.#result.setResult(answer) && eventAtMs !== undefined) wokenBy.set(this.#result, eventAtMs);
  }
}
