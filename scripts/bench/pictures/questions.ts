/** What is converted in a round. */
export interface Batch {
  /** Files, taken in turn. */
  readonly photos: readonly string[];
  /** Where what is made of them goes. */
  readonly directory: string;
  readonly count: number;
  /** Pictures at work at once. */
  readonly inFlight: number;
}

/** What the bare script is asked. */
export type BareQuestions = {
  /** Resolves when all are made. */
  convert(batch: Batch): Promise<void>;
};
