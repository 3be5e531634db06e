import type { PipelineContext } from '../pipeline.ts';
import { formatOf, openOutputFile, typeOfFormat } from './output-file.ts';

/** The record of the upload lists all files, so their number is bounded. */
const MAX_FILES = 500;

/** Publishes the files that a program names, one after the other. The first fault ends the publishing. */
export class OutputPublisher {
  readonly #folder: string;
  readonly #context: PipelineContext;
  readonly #onFault: () => void;
  readonly #names = new Set<string>();
  #fault: { error: unknown } | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param onFault called once, when the program has become useless. */
  constructor(folder: string, context: PipelineContext, onFault: () => void) {
    this.#folder = folder;
    this.#context = context;
    this.#onFault = onFault;
  }

  /** Publishes a file, which must be complete. Never throws. */
  add(name: string, type: string | undefined): void {
    if (this.#fault !== undefined) return;
    try {
      const format = formatOf(name);
      if (this.#names.has(name)) throw new Error(`the program named the output file ${name} twice`);
      if (this.#names.size >= MAX_FILES) throw new Error(`the program named more than ${MAX_FILES} output files`);
      this.#names.add(name);
      this.#last = this.#last.then(() => this.#publish(name, format, type ?? typeOfFormat(format)));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Resolves when nothing is being published any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Throws the first fault, if there is one. */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  async #publish(name: string, format: string, type: string): Promise<void> {
    if (this.#fault !== undefined || this.#context.signal.aborted) return;
    try {
      const file = await openOutputFile(this.#folder, name);
      try {
        await this.#context.publishFile({ name, format, type }, file.createReadStream({ autoClose: false }));
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
    this.#onFault();
  }
}
