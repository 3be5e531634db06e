import { folderBytes } from './folder-size.ts';
import { groupMemoryBytes } from './processes-of.ts';

const PERIOD_MS = 300;

/** A limit that a program has exceeded. */
export type ExceededLimit = 'memory' | 'output';

/** A program to watch, and its limits. */
export interface WatchedRun {
  readonly group: number;
  readonly folder: string;
  readonly maxMemoryBytes: number;
  readonly maxOutputBytes: number;
  /** Bytes that were written to standard output so far. */
  readonly printedBytes: () => number;
  /** Called once. */
  readonly onExceeded: (limit: ExceededLimit) => void;
}

/**
 * Measures memory and output of a program three times a second. Between two measurements it may exceed a limit. The
 * returned function ends the watch.
 */
export function watchLimits(run: WatchedRun): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    const exceeded = groupMemoryBytes(run.group) > run.maxMemoryBytes ? 'memory' : await outputOver(run);
    if (isOver) return;
    if (exceeded === undefined) {
      schedule();
      return;
    }
    isOver = true;
    run.onExceeded(exceeded);
  };
  const schedule = (): void => void (timer = setTimeout(() => void look(), PERIOD_MS));
  schedule();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Returns `output` if the program has written too much. */
export async function outputOver(
  run: Pick<WatchedRun, 'folder' | 'maxOutputBytes' | 'printedBytes'>,
): Promise<ExceededLimit | undefined> {
  const bytes = (await folderBytes(run.folder)) + run.printedBytes();
  return bytes > run.maxOutputBytes ? 'output' : undefined;
}
