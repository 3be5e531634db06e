import type { Problem } from '../wire/documents.ts';

/** Everything the page says. Sizes, durations and the like come in formatted. */
export interface Words {
  /** For `Intl` and the page's `lang`. */
  locale: string;
  /** Texts of index.html by their `data-words`. */
  page: Readonly<Record<PageText, string>>;
  files(count: number): string;
  waiting: string;
  sending(received: string, total: string): string;
  /** Where nothing has been sent yet. */
  pausedEarly: string;
  paused(received: string, total: string): string;
  retrying: string;
  queued(position: number | null): string;
  /** For a step of the processor, which may be one that the page has never heard of. */
  step(stage: string): string;
  attempt(attempt: number): string;
  finishing: string;
  cancelling: string;
  done: string;
  cancelled: string;
  timeLeft(duration: string): string;
  /** Why it has not worked, and what to do. */
  problem(problem: Problem): string;
  /** The page was left before everything was sent, and the browser has not kept the file. */
  needsFile: string;
  /** Another one than the line's was chosen. */
  wrongFile(expected: string): string;
  /** Names of buttons; where they stand beside others of their kind they bear the name of the file. */
  actions: {
    pause(name: string): string;
    resume(name: string): string;
    cancel(name: string): string;
    remove(name: string): string;
    retry: string;
    chooseAgain: string;
    /** One of the two above, with the name of the file; begins with what is seen. */
    named(action: string, name: string): string;
    pauseAll: string;
    resumeAll: string;
  };
  facts: {
    dimensions: string;
    format: string;
    camera: string;
    lens: string;
    exposure: string;
    taken: string;
    colour: string;
  };
  links: {
    open(name: string): string;
    variants: string;
    original: string;
    copy: string;
    copied: string;
    notCopied: string;
  };
  table: {
    size: string;
    sizeOf(rows: string, columns: string): string;
    encoding: string;
    sheet: string;
    firstRows: string;
    /** For the type of a column. */
    type(type: string): string;
    errors(count: string): string;
    error(line: number, code: string, message: string): string;
    download: string;
  };
  summary(done: number, total: number, failed: number): string;
  progressOf(name: string): string;
  /** Document titles. */
  title: { idle: string; busy(percent: string): string; over(done: number): string };
  /** Spoken only. */
  spoken: {
    added(count: number): string;
    done(name: string): string;
    manyDone(count: number): string;
    failed(name: string, why: string): string;
    manyFailed(count: number): string;
  };
}

/** What index.html says; each is the `data-words` of an element there. */
export type PageText =
  | 'heading'
  | 'lead'
  | 'drop'
  | 'release'
  | 'hint'
  | 'choose'
  | 'camera'
  | 'folder'
  | 'offline'
  | 'no-workers'
  | 'list'
  | 'overall'
  | 'cancel-all'
  | 'clear-finished'
  | 'reference'
  | 'client';
