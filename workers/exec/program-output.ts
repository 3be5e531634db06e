import { plainDetail } from '../own/run-own.ts';
import { LineSplitter } from './line-splitter.ts';
import { readProgramMessage } from './program-messages.ts';

/** A program that prints more lines that are no messages is stopped, because reading them costs too much. */
const MAX_IGNORED_LINES = 100_000;

/** The log receives the beginning of at most this many lines that were not understood. */
const MAX_SHOWN_LINES = 5;
const MAX_SHOWN_CHARS = 200;

/** Called with the messages of a program, in their order. */
interface OutputHooks {
  fraction(fraction: number): void;
  file(name: string, type: string | undefined): void;
  /** Called when the program has rejected the file, and when it prints too many other lines. Called once for each. */
  ended(): void;
}

/** Reads the lines of a program and keeps its result. Lines that are no messages are counted and ignored. */
export class ProgramOutput {
  readonly #hooks: OutputHooks;
  readonly #lines = new LineSplitter((line) => this.#onLine(line));
  readonly #garbage: string[] = [];
  #garbageCount = 0;
  #result: object | undefined;
  #detail: string | undefined;

  constructor(hooks: OutputHooks) {
    this.#hooks = hooks;
  }

  add(chunk: Buffer): void {
    this.#lines.add(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  /** The last result that was printed. */
  get result(): object | undefined {
    return this.#result;
  }

  /** The reason why the program has rejected the file. If it prints several, the first one counts. */
  get detail(): string | undefined {
    return this.#detail;
  }

  /** The ignored lines, for the log. Undefined if there were none. */
  get ignored(): { count: number; first: readonly string[] } | undefined {
    return this.#garbageCount === 0 ? undefined : { count: this.#garbageCount, first: this.#garbage };
  }

  /** Throws if the program has printed too many lines that are no messages. */
  throwFault(): void {
    if (this.#garbageCount >= MAX_IGNORED_LINES)
      throw new Error(`the program printed ${MAX_IGNORED_LINES} lines that are no messages`);
  }

  #onLine(line: string | undefined): void {
    if (line?.trim() === '') return;
    const message = line === undefined ? undefined : readProgramMessage(line);
    if (message === undefined) {
      this.#ignore(line ?? '(a line that is too long)');
      return;
    }
    const { fraction, file, type, result, detail } = message;
    if (fraction !== undefined) this.#hooks.fraction(fraction);
    if (file !== undefined) this.#hooks.file(file, type);
    if (result !== undefined) this.#result = result;
    if (detail === undefined || this.#detail !== undefined) return;
    this.#detail = plainDetail(detail);
    this.#hooks.ended();
  }

  #ignore(line: string): void {
    this.#garbageCount += 1;
    if (this.#garbageCount === MAX_IGNORED_LINES) this.#hooks.ended();
    if (this.#garbage.length < MAX_SHOWN_LINES) this.#garbage.push(line.slice(0, MAX_SHOWN_CHARS));
  }
}
