/** The costs that `npm run bench -- scale costs` measures. Times are processor time in microseconds. */
export interface Costs {
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
  /** Bytes of the derived files of an upload. */
  readonly bytesMade: number;
  readonly apiUs: number;
  readonly workerUs: number;
  readonly redisUs: number;
  /** Bytes that Redis keeps until the end of its retention. */
  readonly recordBytes: number;
  /** Entries of the event stream, including those of BullMQ. */
  readonly events: number;
}

/** The cost of one change of an upload for which no client waits. */
export interface EventCost {
  /** Time of Redis for each API process that reads the stream. */
  readonly redisUsPerReader: number;
  readonly bytesPerReader: number;
  /** Processor time of an API process that reads the stream. */
  readonly readerUs: number;
}

/** The cost of one held answer and of the poll that follows it. */
export interface AnswerCost {
  readonly apiUs: number;
  readonly redisUs: number;
}

/** Connections to Redis of one process each. */
export interface ConnectionCount {
  readonly api: number;
  readonly worker: number;
}
