import { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import type { ProgressState } from './progress.ts';
import { RecordSubscription, type ChangeEvent, type RecordObserver } from './record-subscription.ts';

/** Returned by `RecordWait.decide` if the event is not enough and the record must be read. */
export const RE_READ = Symbol('re-read');

/**
 * Longest duration of the last read. It is shorter than the manager's own limit, after which the answer would be a 503.
 */
const LAST_READ_MS = 2000;

/** A wait of a client for a change, and the answer to it. */
export interface RecordWait<Answer, Event = ProgressState> {
  /** Ids of the uploads whose changes may end the wait. */
  readonly ids: readonly string[];
  /** If undefined, the manager's default applies. */
  readonly timeoutMs: number | undefined;
  /**
   * Reads the records of `ids`, which are all or some of its own. Returns the answer, or undefined to go on waiting. If
   * the first read throws, the error is the answer.
   */
  read(ids: readonly string[]): Promise<Answer | undefined>;
  /** Like `RecordObserver.isCurrent`. */
  isCurrent?(): boolean;
  /** Decides by an event. Returns the answer, `RE_READ`, or undefined to go on waiting. */
  decide(event: Event): Answer | typeof RE_READ | undefined;
  /** Returns the answer for a timeout, from the last state that was read. */
  timeoutValue(): Answer;
  /**
   * Set if the wait must not fail. A first read that fails is tried again then. If no more responses may be held, this
   * is called and the timeout value is the answer.
   */
  readonly notHeld?: (() => void) | undefined;
}

const wokenBy = new WeakMap<object, number>();

/**
 * Returns when the event that resolved the result was created; undefined if no event did. Used to measure the wake
 * latency.
 */
export function eventTimeOf(result: object): number | undefined {
  return wokenBy.get(result);
}

const causes = new WeakMap<object, Set<string>>();

/**
 * Returns the positions of the spans that queued the uploads whose events resolved the result, or caused the read that
 * did. Empty if none of them was traced.
 */
export function causesOf(result: object): ReadonlySet<string> {
  return causes.get(result) ?? NO_CAUSES;
}

const NO_CAUSES: ReadonlySet<string> = new Set();

/** Notes that an event resolves the result, for `causesOf`. Does nothing unless the upload was traced. */
export function noteCause(result: object, { trace }: ChangeEvent): void {
  if (trace === undefined) return;
  const known = causes.get(result);
  if (known === undefined) causes.set(result, new Set([trace]));
  else known.add(trace);
}

/**
 * Resolves a deferred result once a change of a record decides it. On timeout it reads the records again before the
 * timeout value is sent. Rejects with the error of the first read.
 */
export async function waitForRecords<Answer, Event extends ChangeEvent = ProgressState>(
  registry: Registry<Event>,
  wait: RecordWait<Answer, Event>,
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

/** Returns the timeout value if the records cannot be read within `LAST_READ_MS`. */
async function lastRead<Answer>(wait: Pick<RecordWait<Answer>, 'ids' | 'read' | 'timeoutValue'>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, LAST_READ_MS, undefined)));
  try {
    const answer = await Promise.race([wait.read(wait.ids).catch(() => undefined), late]);
    return answer ?? wait.timeoutValue();
  } finally {
    clearTimeout(timer);
  }
}

/** Passes the answer of a wait to its deferred result. */
class WaitObserver<Answer, Event extends ChangeEvent> implements RecordObserver<Event> {
  readonly #result: DeferredResult<Answer>;
  readonly #wait: RecordWait<Answer, Event>;

  constructor(result: DeferredResult<Answer>, wait: RecordWait<Answer, Event>) {
    this.#result = result;
    this.#wait = wait;
  }

  get ids(): readonly string[] {
    return this.#wait.ids;
  }

  isCurrent(): boolean {
    return this.#wait.isCurrent?.() === true;
  }

  get isDone(): boolean {
    return this.#result.isSetOrExpired();
  }

  async read(ids: readonly string[], eventAtMs: number | undefined): Promise<void> {
    const answer = await this.#wait.read(ids);
    if (answer !== undefined) this.#resolve(answer, eventAtMs);
  }

  changed(event: Event): boolean {
    const decision = this.#wait.decide(event);
    if (decision !== undefined) noteCause(this.#result, event);
    if (decision === RE_READ) return false;
    if (decision !== undefined) this.#resolve(decision, event.eventAtMs);
    return true;
  }

  #resolve(answer: Answer, eventAtMs: number | undefined): void {
    if (this.#result.setResult(answer) && eventAtMs !== undefined) wokenBy.set(this.#result, eventAtMs);
  }
}
