import { ServiceError } from '../errors.ts';

/** Whether a balancer is to send requests to this process. */
export class Readiness {
  readonly #check: () => Promise<void>;
  #isLeaving = false;

  /** `check` rejects where the process cannot do its work just now. */
  constructor(check: () => Promise<void>) {
    this.#check = check;
  }

  /** Rejects with what `check` rejects with, or with `shutting_down` (503) once the process leaves, whatever it serves still. */
  async assert(): Promise<void> {
    if (this.#isLeaving)
      throw new ServiceError('shutting_down', 'This process is about to stop. Send requests to another one.');
    await this.#check();
  }

  /** For good. */
  leave(): void {
    this.#isLeaving = true;
  }
}
