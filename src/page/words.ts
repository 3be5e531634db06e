import type { Problem } from '../wire/documents.ts';
import type { Filter } from './line-order.ts';

/** Every text of the page in one language. Sizes, durations and counts are passed in formatted. */
export interface Words {
  /** Language tag for `Intl` and for the `lang` attribute of the page. */
  locale: string;
  /** Texts of index.html, by the `data-words` attribute of their elements. */
  page: Readonly<Record<PageText, string>>;
  files(count: number): string;
  waiting: string;
  sending(received: string, total: string): string;
  /** State of a file that was paused before the first byte was sent. */
  pausedEarly: string;
  paused(received: string, total: string): string;
  retrying: string;
  /** State while the server cannot be reached. */
  waitingForServer: string;
  /** Time to the next attempt to reach the server. */
  nextTry(seconds: number): string;
  /** State after the server refused the file for now. The page sends it again by itself. */
  refused(problem: Problem): string;
  queued(position: number | null): string;
  /** State during a step of the processor. An unknown step gets a general text. */
  step(stage: string): string;
  attempt(attempt: number): string;
  finishing: string;
  cancelling: string;
  done: string;
  /** State of a finished file of which rows were left out or something was guessed. */
  doneWithNotes: string;
  /** Accessible name of the notes on a result. */
  notes: string;
  /** Warns that the result leaves something out or contains a guess. */
  warning(code: string, message: string): string;
  cancelled: string;
  timeLeft(duration: string): string;
  /** Says why the upload failed, and what the user can do. */
  problem(problem: Problem): string;
  tooLarge(size: string, limit: string): string;
  /** The limits, shown before files are chosen. */
  limits(maxBytes: string, retention: string): string;
  /** File name of a painted picture. */
  sampleName(number: number): string;
  /** Shown if the page was closed during the upload and the browser has no copy of the file. */
  needsFile: string;
  /** Shown if the user chose a file other than the expected one. */
  wrongFile(expected: string): string;
  /** Names of buttons. Buttons that appear once per line contain the name of the file. */
  actions: {
    pause(name: string): string;
    resume(name: string): string;
    cancel(name: string): string;
    hide(name: string): string;
    /** Deletes the file on the server, not only in the list. */
    delete(name: string): string;
    retry: string;
    chooseAgain: string;
    /** Button for a file whose name is not that of a supported type. */
    sendAnyway: string;
    /** The accessible name of the two buttons above. It begins with the visible text (WCAG 2.5.3). */
    named(action: string, name: string): string;
    pauseAll: string;
    resumeAll: string;
  };
  /** Text of the bar after files were hidden. The action can be taken back. */
  hidden(count: number): string;
  deleted(count: number): string;
  notDeleted: string;
  /** Says how long finished files are kept, and who can open them. */
  kept(until: string): string;
  viewer: {
    /** Alternative text of a picture without a name. */
    picture: string;
    place(position: number, count: number): string;
    /** Says how long the link works, and who can open it. */
    until(until: string): string;
    download: string;
    hide: string;
    delete: string;
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
    /** The type of a column. */
    type(type: string): string;
    rowsSkipped(count: string): string;
    error(line: number, code: string, message: string): string;
    /** Counts the errors that are not listed. */
    moreErrors(count: string): string;
    /** Counts the columns that are not shown. */
    moreColumns(count: string): string;
    download: string;
    asCsv: string;
    asWorkbook: string;
  };
  summary(done: number, total: number, failed: number): string;
  sent(sent: string, total: string): string;
  /** Buttons that show only some lines. */
  filters: Readonly<Record<Filter, (count: string) => string>>;
  progressOf(name: string): string;
  /** Document titles. */
  title: { idle: string; busy(percent: string): string; over(done: number): string };
  /** Texts for screen readers only. */
  spoken: {
    added(count: number): string;
    done(name: string, hasNotes: boolean): string;
    manyDone(count: number): string;
    failed(name: string, reason: string): string;
    manyFailed(count: number): string;
  };
}

/** The `data-words` attributes of index.html. */
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
  | 'try-now'
  | 'no-workers'
  | 'list'
  | 'overall'
  | 'cancel-all'
  | 'hide-finished'
  | 'show'
  | 'touch'
  | 'undo'
  | 'download-all'
  | 'sort'
  | 'sort-added'
  | 'sort-colour'
  | 'sort-taken'
  | 'viewer'
  | 'viewer-previous'
  | 'viewer-next'
  | 'viewer-close'
  | 'viewer-gone'
  | 'language'
  | 'samples'
  | 'reference'
  | 'client';
