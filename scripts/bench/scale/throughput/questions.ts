/** The addresses of the other parts of a run. */
export interface Place {
  redisUrl: string;
  /** Directory of the storage. */
  directory: string;
  /** Number of progress reports of each plain job. Such jobs have a separate queue. Default 0. */
  updates?: number;
}

/** The questions for a worker process, of the service or plain. */
export type WorkerQuestions = {
  /**
   * Starts to take jobs. `digests`: it processes the files; default false. `workMs`: the time that a file takes if it
   * is not processed; default 0.
   */
  start(
    setup: Place & {
      concurrency: number;
      settings: Readonly<Record<string, string>>;
      digests?: boolean;
      workMs?: number;
    },
  ): void;
  /** Processor time of the process since its start, in microseconds. */
  cpuUs(): number;
};

/** The questions for the process that adds work to the queue. */
export type ProducerQuestions = {
  open(setup: Place): Promise<void>;
  /** Prepares uploads without being measured. Call it before `add`, with the same count. */
  prepare(count: number): Promise<void>;
  /** Adds `count` uploads, `atOnce` of them at the same time. Resolves with the time of the first, by `Date`. */
  add(load: { count: number; atOnce: number }): Promise<number>;
  /**
   * Resolves when all uploads are completed, with the time of the last one. Throws if an upload has another outcome.
   */
  finished(): Promise<number>;
  /** Returns how many processes take jobs. */
  workers(): Promise<number>;
  /** Keeps workers from taking jobs until `resume`. */
  pause(): Promise<void>;
  /** Lets workers take jobs. Resolves with the present time. */
  resume(): Promise<number>;
  /** Processor time of the process since its start, in microseconds. */
  cpuUs(): number;
};
