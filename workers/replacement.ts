import type { Logger } from '../src/telemetry/log.ts';

/** Ends a process with an unresponsive processor, so that its supervisor starts a new one. */
export class Replacement {
  /** Closes the process. */
  close: (reason: string) => void = () => undefined;
  readonly #log: Logger;
  #isAsked = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#log.error('processor unresponsive, the process ends');
    this.close('stuck');
  }

  /** Kills the process if a thread is stuck, because `process.exit` would wait for the thread pool. */
  end(exitCode: number, worker: { hasStuckThread(): boolean }): void {
    if (this.#isAsked || worker.hasStuckThread()) process.kill(process.pid, 'SIGKILL');
    else process.exit(exitCode);
  }
}
