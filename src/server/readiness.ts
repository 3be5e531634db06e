import { ServiceError } from '../errors.ts';

/** Decides whether a load balancer may send requests to this process. */
export class Readiness {
  readonly #check: () => Promise<void>;
  #isLeaving = false;

  /** @param check rejects while the process cannot work. */
  constructor(check: () => Promise<void>) {
    this.#check = check;
  }

  /** Rejects with the error of `check`, or with `shutting_down` (503) after `leave`. */
  async assert(): Promise<void> {
    if (this.#isLeaving)
      throw new ServiceError('shutting_down', 'This process is shutting down. Send requests to another process.');
    await this.#check();
  }

  /** Reports `shutting_down` from now on. */
  leave(): void {
    this.#isLeaving = true;
  }
}
