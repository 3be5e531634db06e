/** What all clients together have met with. */
export class Diary {
  readonly #failures = new Map<string, number>();
  readonly #offences: string[] = [];
  #answers = 0;
  #longestSilenceMs = 0;

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

  offence(what: string): void {
    this.#offences.push(what);
  }
}
