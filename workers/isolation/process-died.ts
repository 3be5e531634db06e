/** The process that ran one file alone has ended by itself: a crash, or memory that ran out. */
export class ProcessDied extends Error {
  /** `complaint`: the last that it wrote, for the log. */
  constructor(code: number | null, signal: NodeJS.Signals | null, complaint: string) {
    super(`the process ended by itself with ${signal ?? `code ${code}`}`, { cause: complaint });
    this.name = 'ProcessDied';
  }
}

/** Sent by people and by what stops services. Nothing in a file makes a process send itself one of these. */
const FROM_OUTSIDE: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** True for a crash, for an exit that nobody asked for, and for SIGKILL: where it is not ours it is the kernel's, out of memory. */
export function isOwnDeath(signal: NodeJS.Signals | null): boolean {
  return signal === null || !FROM_OUTSIDE.has(signal);
}
