/** What a server of this benchmark is asked; each is a process of its own. */
export type UploadServerQuestions = {
  /** Resolves with the port it listens on at 127.0.0.1. */
  start(setup: ServerSetup): Promise<number>;
  /** Takes the process' memory, after a collection, for what it needs without uploads. */
  watchMemory(): void;
  /** From now on processor time counts. */
  begin(): void;
  /** What was used since `begin`, and of memory since `watchMemory`. */
  end(): Usage;
};

/** What a server is started with; those that have no use for a part of it pass it over. */
export interface ServerSetup {
  redisUrl: string;
  /** Where its files go. */
  directory: string;
  /** For our service alone: on top of the settings that let it take large files. */
  settings: Readonly<Record<string, string>>;
  /** For our service alone: false makes the syncs of files do nothing, to tell what durability costs. */
  isDurable: boolean;
}

export interface Usage {
  /** Of all threads, in microseconds. */
  cpuUs: number;
  /** The most that the process had of the machine's memory beyond what it had at `watchMemory`, in bytes. */
  rssGrowth: number;
}

/** What the sending process is asked. */
export type SenderQuestions = {
  /** Resolves when the last answer is in. Throws for one that is no success. */
  send(transfer: Transfer): Promise<Sent>;
};

/** How the bytes are sent: a form, the raw body of a PUT, or tus' creation with upload. */
export type TransferForm = 'form' | 'put' | 'tus';

export interface Transfer {
  port: number;
  form: TransferForm;
  path: string;
  /** Of each file. */
  bytes: number;
  files: number;
  /** Kept alive, each sending one file after another. */
  connections: number;
}

export interface Sent {
  /** From the first byte to the last answer. */
  seconds: number;
  /** Processor time of the sender, in microseconds. */
  cpuUs: number;
}
