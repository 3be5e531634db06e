/** The settings with which a hand-written stack is started. */
export interface StackSetup {
  readonly redisUrl: string;
  readonly directory: string;
  /** If true, it keeps the promise of the service: synced files, a record with states, events, ids of the client. */
  readonly isCareful: boolean;
}

/** The questions for the server of a hand-written stack. */
export type StackServerQuestions = {
  /** Resolves with the port it listens on at 127.0.0.1. */
  start(setup: StackSetup): Promise<number>;
};

/** The questions for a worker of a hand-written stack. */
export type StackWorkerQuestions = { start(setup: StackSetup): Promise<void> };

/** The job of a hand-written stack. */
export interface StackJob {
  readonly id: string;
  readonly path: string;
  readonly type: string;
}
