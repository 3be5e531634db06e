import { UnprocessableError } from '../unprocessable-error.ts';
import { folderBytes } from './folder-size.ts';
import { groupMemoryBytes } from './processes-of.ts';

const PERIOD_MS = 300;

/** A limit that a program has exceeded. */
export type ExceededLimit = 'memory' | 'output';

interface WatchedRun {
  /** The process group whose memory is measured. Default: none. */
  readonly group?: number;
  readonly folder: string;
  /** Default: no limit. */
  readonly maxMemoryBytes?: number;
  readonly maxOutputBytes: number;
  /** Bytes that were written to other places so far, such as standard output. */
  readonly printedBytes: () => number;
  /** Called once, with the limit that was exceeded. */
  readonly onExceeded: (limit: ExceededLimit) => void;
}

/**
 * Measures memory and output of a run three times a second. Between two measurements it may exceed a limit. The
 * returned function ends the watch.
 */
export function watchLimits(run: WatchedRun): () => void {
  const { group, maxMemoryBytes = Infinity } = run;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const check = async (): Promise<void> => {
    const memoryBytes = group === undefined ? 0 : groupMemoryBytes(group);
    const exceeded = memoryBytes > maxMemoryBytes ? 'memory' : await outputOver(run);
    if (isOver) return;
    if (exceeded === undefined) {
      schedule();
      return;
    }
    isOver = true;
    run.onExceeded(exceeded);
  };
  const schedule = (): void => void (timer = setTimeout(() => void check(), PERIOD_MS));
  schedule();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Returns `output` if the run has written too much. */
export async function outputOver(
  run: Pick<WatchedRun, 'folder' | 'maxOutputBytes' | 'printedBytes'>,
): Promise<ExceededLimit | undefined> {
  const bytes = (await folderBytes(run.folder)) + run.printedBytes();
  return bytes > run.maxOutputBytes ? 'output' : undefined;
}

/** Makes the error of a file that exceeds a limit. `what` is the limit in words: `more than 9 bytes of output`. */
export function tooCostly(what: string): UnprocessableError {
  return new UnprocessableError(
    'file_too_costly',
    `Processing this file takes ${what}. Make the file smaller and upload the new file.`,
  );
}
