/** How the bare process goes through a file. */
export type BareWay = 'records' | 'json-lines';

/** What the bare process is asked. */
export type BareQuestions = {
  /**
   * Reads the whole file with csv-parse and resolves with the number of its records: `records` counts them as arrays
   * and no more, `json-lines` has them made into objects and written as JSON Lines to `outputPath`.
   */
  read(order: { way: BareWay; path: string; outputPath: string }): Promise<number>;
};
