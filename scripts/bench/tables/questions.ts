/** The two ways in which the plain process reads a file. */
export type BareWay = 'records' | 'json-lines';

/** The questions for the plain process. */
export type BareQuestions = {
  /**
   * Reads the whole file with csv-parse and resolves with the number of its records. `records` only counts them as
   * arrays. `json-lines` makes them into objects, and writes these as JSON Lines to `outputPath`.
   */
  read(order: { way: BareWay; path: string; outputPath: string }): Promise<number>;
};
