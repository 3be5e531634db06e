/** Where a process finds the others of a run. */
export interface Place {
  redisUrl: string;
  /** Of the storage. */
  directory: string;
  /** For bare jobs: so many times each tells how far it is; those that do have a queue of their own. Default 0. */
  updates?: number;
}

/** What a worker process is asked, ours and a bare one. */
export type WorkerQuestions = {
  /** Begins to take jobs, soon after. `digests`: it does what is to be done; default false. */
  start(setup: Place & { concurrency: number; settings: Readonly<Record<string, string>>; digests?: boolean }): void;
  /** Processor time since its start, in microseconds. */
  cpuUs(): number;
};

/** What the process is asked that puts work into the queue. */
export type ProducerQuestions = {
  open(setup: Place): Promise<void>;
  /** What costs time and is not to be measured. To be called before `add`, with the same count. */
  prepare(count: number): Promise<void>;
  /**
   * Adds one after the other, so many of them under way at once. Resolves with the moment of the first, by the clock of
   * `Date`.
   */
  add(load: { count: number; atOnce: number }): Promise<number>;
  /** Resolves when all of it is done, with the moment of the last. Throws where one came to something else. */
  finished(): Promise<number>;
  /** How many processes take jobs. */
  workers(): Promise<number>;
  /** Keeps workers from taking jobs until `resume`. */
  pause(): Promise<void>;
  /** Resolves with the moment. */
  resume(): Promise<number>;
  /** Processor time since its start, in microseconds. */
  cpuUs(): number;
};
