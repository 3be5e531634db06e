/** The two ways in which the plain process reads a file. */
export type BareWay = 'records' | 'json-lines';

/** The questions for the plain process. */
export type BareQuestions = {
  /**
   * Reads the whole file with csv-parse and resolves with the number of its records: `records` counts them as arrays
   * and no more, `json-lines` has them made into objects and written as JSON Lines to `outputPath`.
   */
  read(order: { way: BareWay; path: string; outputPath: string }): Promise<number>;
};
