/** The questions for a server process of this benchmark. */
export type UploadServerQuestions = {
  /** Resolves with the port it listens on at 127.0.0.1. */
  start(setup: ServerSetup): Promise<number>;
  /** Collects garbage, and takes the current memory as the memory without uploads. */
  watchMemory(): void;
  /** Starts to count processor time. */
  begin(): void;
  /** Returns the processor time since `begin`, and the memory since `watchMemory`. */
  end(): Usage;
};

/** The options of a server. A server ignores options that it does not need. */
export interface ServerSetup {
  redisUrl: string;
  /** Directory of the files of the peer. */
  directory: string;
  /** Only for this service: settings besides those for large files. */
  settings: Readonly<Record<string, string>>;
  /** Only for this service: false disables the syncs of files, to measure the cost of durability. */
  isDurable: boolean;
}

export interface Usage {
  /** Processor time of all threads, in microseconds. */
  cpuUs: number;
  /** Peak memory of the process beyond that at `watchMemory`, in bytes. */
  rssGrowth: number;
  /**
   * The longest time in milliseconds between the last byte of a file, when the server reads it, and the end of the
   * answer.
   */
  endMs: number;
}

/** A request with this header brings the last part of a file. Servers ignore it. */
export const LAST_PART_HEADER = 'x-last-part';

/** The questions for the sending process. */
export type SenderQuestions = {
  /** Resolves after the last answer. Throws if an answer is not a success. */
  send(transfer: Transfer): Promise<Sent>;
};

/**
 * How the bytes are sent: a form, the raw body of a PUT, tus' creation with upload, tus in parts of 8 MiB, or straight
 * to the bucket.
 */
export type TransferForm = 'form' | 'put' | 'tus' | 'tus-parts' | 'direct';

export interface Transfer {
  port: number;
  form: TransferForm;
  path: string;
  /** Bytes of each file. */
  bytes: number;
  files: number;
  /** Number of keep-alive connections, each of which sends one file after the other. */
  connections: number;
}

export interface Sent {
  /** Seconds from the first byte to the last answer. */
  seconds: number;
  /** Processor time of the sender, in microseconds. */
  cpuUs: number;
  /**
   * Only for tus in parts: the longest time in milliseconds between the last byte of a file, when the system takes it
   * from the sender, and the answer. At that moment the server may still have to read megabytes of each connection.
   */
  finishMs: number;
}

/** The questions for the process of the bucket. */
export type BucketQuestions = { start(): Promise<Bucket> };

export interface Bucket {
  /** Address of the S3 server. */
  url: string;
  bucket: string;
}
