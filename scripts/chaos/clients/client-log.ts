import type { LossBetween } from '../progress-checker.ts';
import type { Answer } from './caller.ts';

/** An answer shortly after a loss may describe a change from this long before it. */
const LOST_BEFORE_MS = 3_000;

/** Collects failures and wrong answers of all clients. */
export class ClientLog {
  readonly #lossBetween: LossBetween;
  readonly #failures = new Map<string, number>();
  readonly #offences: string[] = [];
  #answers = 0;
  #longestSilenceMs = 0;

  constructor(lossBetween: LossBetween) {
    this.#lossBetween = lossBetween;
  }

  /** Failed requests by their reason. Clients have sent them again. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Answers that the contract does not allow. */
  get offences(): readonly string[] {
    return this.#offences;
  }

  /** The number of answers that the clients wanted. */
  get answers(): number {
    return this.#answers;
  }

  /** The longest time from the first try of a request to its answer, without the time for which it was held. */
  get longestSilenceMs(): number {
    return this.#longestSilenceMs;
  }

  failed(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  answered(afterMs: number): void {
    this.#answers += 1;
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, afterMs);
  }

  /** Records a wrong answer, unless Redis has just lost data. */
  offence(what: string, { sentAtMs, answeredAtMs }: Pick<Answer, 'sentAtMs' | 'answeredAtMs'>): void {
    if (this.#lossBetween(sentAtMs - LOST_BEFORE_MS, answeredAtMs)) this.failed('answered after a loss');
    else this.#offences.push(what);
  }
}
