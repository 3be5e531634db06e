/** What things cost, as `npm run bench -- scale costs` measures it; times are processor time in microseconds. */
export interface Costs {
  /** Date and machine. */
  readonly taken: string;
  readonly photo: UploadCost;
  readonly small: UploadCost;
  readonly event: EventCost;
  readonly answer: AnswerCost;
  /** Memory of an API process for each response that it holds, in bytes. */
  readonly heldBytes: number;
  readonly connections: ConnectionCount;
}

/** One upload from the first byte to the held answer with its result, `EVENT_BUS=targeted`. */
export interface UploadCost {
  readonly bytesIn: number;
  /** Of what is made of it. */
  readonly bytesMade: number;
  readonly apiUs: number;
  readonly workerUs: number;
  readonly redisUs: number;
  /** What Redis keeps of it, in bytes, until its retention is over. */
  readonly recordBytes: number;
  /** Entries of the event stream, BullMQ's own among them. */
  readonly events: number;
}

/** One change that nobody waits for. */
export interface EventCost {
  /** Of Redis, for each API process that reads the stream. */
  readonly redisUsPerReader: number;
  readonly bytesPerReader: number;
  /** Of such a process. */
  readonly readerUs: number;
}

/** One held answer, with the poll that follows it. */
export interface AnswerCost {
  readonly apiUs: number;
  readonly redisUs: number;
}

/** To Redis, of one process each. */
export interface ConnectionCount {
  readonly api: number;
  readonly worker: number;
}
