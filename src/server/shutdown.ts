import type { Logger } from '../telemetry/log.ts';

/** A terminal may send the same signal to npm and to us; within this time two are one. */
const DOUBLE_SIGNAL_MS = 1000;

/** Beyond the grace for bodies or work under way: a second for held responses, and a little more. */
export const CLOSE_MARGIN_MS = 3_000;

/**
 * Calls `close` at the first SIGINT or SIGTERM, or when the supervisor that started this process is
 * gone, and ends the process with 0 when it resolves. Past `deadlineMs`, or with a second signal
 * after a second's rest, it ends with 1. The returned function begins the same for a reason of one's own.
 * @param end ends the process with the exit code.
 */
export function closeOnSignal(
  log: Logger,
  deadlineMs: number,
  close: () => Promise<void>,
  end: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
): (reason: string) => void {
  let startedAtMs: number | undefined;
  const begin = (reason: string) => {
    const nowMs = performance.now();
    if (startedAtMs === undefined) {
      startedAtMs = nowMs;
      void closeWithin(log, deadlineMs, close, end, reason);
    } else if (nowMs - startedAtMs > DOUBLE_SIGNAL_MS && reason.startsWith('SIG')) {
      end(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => begin(signal));
  process.on('disconnect', () => begin('disconnect'));
  return begin;
}

async function closeWithin(
  log: Logger,
  deadlineMs: number,
  close: () => Promise<void>,
  end: (exitCode: number) => void,
  reason: string,
): Promise<void> {
  log.info({ reason }, 'closing');
  setTimeout(() => {
    log.error({ deadlineMs }, 'not closed in time');
    end(1);
  }, deadlineMs).unref();
  try {
    await close();
    log.info('closed');
    end(0);
  } catch (error) {
    log.error({ err: error }, 'closing failed');
    end(1);
  }
}

/** Waits for work that nothing depends on any more, but not for ever: what talks to a server that is gone may never end. */
export async function settleWithin(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

/** EX_CONFIG of sysexits: no restart helps, a person has to put something right. */
const EX_CONFIG = 78;

/**
 * Loads the modules of a process. If a package is missing or not made for this machine, the process ends with one line
 * and exit code 78, since no restart helps.
 */
export async function loadOrExit<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return exitWithLine(`the installation is broken, run npm ci: ${line}`, EX_CONFIG);
  }
}

/** Ends a process that could not start with one line a person can act on. */
export function exitWithLine(error: unknown, exitCode: number): never {
  const line = error instanceof Error ? error.message : String(error);
  process.stderr.write(`deferred-uploads: ${line}\n`);
  process.exit(exitCode);
}
