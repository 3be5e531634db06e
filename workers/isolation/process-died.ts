/** The isolated process has ended on its own: it crashed or ran out of memory. */
export class ProcessDied extends Error {
  /** @param complaint the end of its standard error, for the log */
  constructor(code: number | null, signal: NodeJS.Signals | null, complaint: string) {
    super(`the isolated process ended on its own with ${signal ?? `code ${code}`}`, { cause: complaint });
    this.name = 'ProcessDied';
  }
}

/** People and service managers send these signals. No file can make a process send one of them to itself. */
const FROM_OUTSIDE: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/**
 * True for a crash, an unexpected exit and SIGKILL. A SIGKILL that we did not send comes from the kernel: out of
 * memory.
 */
export function isOwnDeath(signal: NodeJS.Signals | null): boolean {
  return signal === null || !FROM_OUTSIDE.has(signal);
}
