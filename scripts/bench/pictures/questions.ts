/** The photos of a round. */
export interface Batch {
  /** The files to send, taken in turn. */
  readonly photos: readonly string[];
  /** Directory of the output. */
  readonly directory: string;
  readonly count: number;
  /** Number of pictures processed at the same time. */
  readonly inFlight: number;
}

/** The questions for the bare script. */
export type BareQuestions = {
  /** Makes the pictures. Resolves when all are made. */
  convert(batch: Batch): Promise<void>;
};
