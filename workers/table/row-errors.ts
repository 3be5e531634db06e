import type { RowError } from '../../src/wire/documents.ts';
import { UnprocessableError } from '../unprocessable-error.ts';

/** As many go into a result. */
const MAX_LISTED = 100;

/** The rows of a table that were left out: all are counted, the first ones kept. */
export class RowErrors {
  readonly #maxErrors: number;
  readonly #listed: RowError[] = [];
  #count = 0;

  /** @param maxErrors with more than these the table is given up. */
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

  /** Throws `table_damaged` for the one that is too many. */
  add(line: number, code: string, message: string): void {
    this.#count += 1;
    if (this.#listed.length < MAX_LISTED) this.#listed.push({ line, code, message });
    if (this.#count <= this.#maxErrors) return;
    const first = this.#listed[0];
    const detail = `More than ${this.#maxErrors} rows have errors; the first, in line ${first?.line ?? line}: ${first?.message ?? message} Mend the table, or allow more with the option maxErrors.`;
    throw new UnprocessableError('table_damaged', detail);
  }
}
