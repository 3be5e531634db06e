import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ClientLog } from './client-log.ts';

/**
 * The patience of a client after the time for which the request may be held. A request without an answer then counts as
 * failed. The patience doubles with each failure.
 */
const PATIENCE_MS = 10_000;
const MOST_PATIENCE_DOUBLINGS = 2;

/**
 * The pause after a failure doubles too. Otherwise 2,000 clients on a busy machine would send requests faster than the
 * service can notice that they are gone, and no upload would end.
 */
const MOST_PAUSE_DOUBLINGS = 6;

/** The statuses after which a request is sent again. */
const AGAIN: ReadonlySet<number> = new Set([408, 423, 429, 503]);

/** One request. `path` starts at the root of the service. */
export interface Question {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** Creates the body of each try. */
  body?: () => RequestInit['body'];
  /** The time for which the answer may be held. */
  holdMs?: number;
}

/** The answer to a request. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed body if it is JSON, otherwise null. */
  body: unknown;
  sentAtMs: number;
  answeredAtMs: number;
}

/** Thrown after the deadline of the run. */
export class OutOfTime extends Error {}

/** Sends the requests of one client, each to a random API process. Failed requests are sent again to another one. */
export class Caller {
  readonly #urls: readonly string[];
  readonly #random: Random;
  readonly #clientLog: ClientLog;
  readonly #deadlineMs: () => number;
  readonly #headers: Readonly<Record<string, string>>;
  /** Requests without an answer since the last answer. */
  #failures = 0;
  #lastSentAtMs = 0;

  /**
   * @param deadlineMs by the clock of `performance.now()`; it may change
   * @param headers of every request
   */
  constructor(
    urls: readonly string[],
    random: Random,
    clientLog: ClientLog,
    deadlineMs: () => number,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.#urls = urls;
    this.#random = random;
    this.#clientLog = clientLog;
    this.#deadlineMs = deadlineMs;
    this.#headers = headers;
  }

  /** The time at which the last request was sent. */
  get lastSentAtMs(): number {
    return this.#lastSentAtMs;
  }

  /** Sends a request until it is answered. Throws `OutOfTime`. */
  async ask(question: Question): Promise<Answer> {
    const startedAtMs = performance.now();
    for (;;) {
      const answer = await this.once(question);
      if (answer !== undefined) {
        this.#clientLog.answered(performance.now() - startedAtMs - (question.holdMs ?? 0));
        return answer;
      }
    }
  }

  /** Sends a request once. Returns undefined after a pause if it must be sent again. Throws `OutOfTime`. */
  async once(question: Question): Promise<Answer | undefined> {
    if (performance.now() > this.#deadlineMs()) throw new OutOfTime(`${question.method} ${question.path}`);
    const sentAtMs = performance.now();
    this.#lastSentAtMs = sentAtMs;
    try {
      const patienceMs = PATIENCE_MS * 2 ** Math.min(this.#failures, MOST_PATIENCE_DOUBLINGS);
      const answer = await send(this.#random.pick(this.#urls), this.#withHeaders(question), sentAtMs, patienceMs);
      this.#failures = 0;
      if (answer.status === 500)
        this.#clientLog.offence(`500 to ${question.method} ${question.path}: ${JSON.stringify(answer.body)}`, answer);
      if (!AGAIN.has(answer.status)) return answer;
      this.#clientLog.failed(`${answer.status} ${codeOf(answer.body)}`);
      await delay(retryAfterMs(answer.headers) + this.#random.between(0, 200));
    } catch (error) {
      this.#clientLog.failed(reasonOf(error));
      await delay(this.#random.between(20, 300) * 2 ** Math.min(this.#failures, MOST_PAUSE_DOUBLINGS));
      this.#failures += 1;
    }
    return undefined;
  }

  #withHeaders(question: Question): Question {
    return { ...question, headers: { ...question.headers, ...this.#headers } };
  }

  /** Waits `forMs`, but not beyond the deadline. */
  async rest(forMs: number): Promise<void> {
    await delay(Math.min(forMs, Math.max(0, this.#deadlineMs() - performance.now())));
  }
}

async function send(
  base: string,
  { method, path, headers, body, holdMs = 0 }: Question,
  sentAtMs: number,
  patienceMs: number,
): Promise<Answer> {
  const init: RequestInit & { duplex?: 'half' } = { method, signal: AbortSignal.timeout(holdMs + patienceMs) };
  if (headers !== undefined) init.headers = headers;
  if (body !== undefined) Object.assign(init, { body: body(), duplex: 'half' });
  const response = await fetch(base + path, init);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : null,
    sentAtMs,
    answeredAtMs: performance.now(),
  };
}

/** Returns the code of a problem document. */
export function codeOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';
}

function retryAfterMs(headers: Headers): number {
  return 1000 * Number(headers.get('retry-after') ?? '0');
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (typeof cause !== 'object' || cause === null) return String(cause);
  return 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : cause instanceof Error
      ? cause.name
      : 'unknown';
}
