import type { RowError } from '../../src/wire/documents.ts';
import { UnprocessableError } from '../unprocessable-error.ts';

/** The number of errors that a result lists. */
const MAX_LISTED = 100;

/** The rows of a table that were left out. All are counted, and the first ones are listed. */
export class RowErrors {
  readonly #maxErrors: number;
  readonly #listed: RowError[] = [];
  #count = 0;

  /** @param maxErrors with more errors than this the table is rejected */
  constructor(maxErrors: number) {
    this.#maxErrors = maxErrors;
  }

  get count(): number {
    return this.#count;
  }

  get first(): RowError | undefined {
    return this.#listed[0];
  }

  get listed(): RowError[] {
    return this.#listed;
  }

  /** Adds an error. Throws `table_damaged` if there are too many. */
  add(line: number, code: string, message: string): void {
    this.#count += 1;
    if (this.#listed.length < MAX_LISTED) this.#listed.push({ line, code, message });
    if (this.#count <= this.#maxErrors) return;
    const first = this.#listed[0];
    const detail =
      `More than ${this.#maxErrors} rows have errors. The first is in line ${first?.line ?? line}: ` +
      `${first?.message ?? message} Correct the table, or allow more errors with the option maxErrors.`;
    throw new UnprocessableError('table_damaged', detail);
  }
}
