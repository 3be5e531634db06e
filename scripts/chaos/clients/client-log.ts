import type { LossBetween } from '../progress-checker.ts';
import type { Answer } from './caller.ts';

/** What is told shortly after a loss may be of something that was told shortly before. */
const LOST_BEFORE_MS = 3_000;

/** What all clients together have met with. */
export class ClientLog {
  readonly #lossBetween: LossBetween;
  readonly #failures = new Map<string, number>();
  readonly #offences: string[] = [];
  #answers = 0;
  #longestSilenceMs = 0;

  constructor(lossBetween: LossBetween) {
    this.#lossBetween = lossBetween;
  }

  /** Requests that came to nothing, by the reason. Clients have tried again. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Answers that no client has to expect. */
  get offences(): readonly string[] {
    return this.#offences;
  }

  /** Answers that said what was asked for. */
  get answers(): number {
    return this.#answers;
  }

  /** The longest that one question took from its first request to an answer, its tries included; without the time for which it was held. */
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

  /** Where Redis has just lost something, it is no offence. */
  offence(what: string, { sentAtMs, answeredAtMs }: Pick<Answer, 'sentAtMs' | 'answeredAtMs'>): void {
    if (this.#lossBetween(sentAtMs - LOST_BEFORE_MS, answeredAtMs)) this.failed('told after a loss');
    else this.#offences.push(what);
  }
}
