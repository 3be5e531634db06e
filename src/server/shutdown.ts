import { setFlagsFromString } from 'node:v8';
import type { Logger } from '../telemetry/log.ts';

/** Ctrl-C may deliver the signal twice, directly and through npm. Signals within this time count as one. */
const DOUBLE_SIGNAL_MS = 1000;

/** Added to the grace period: time to answer held responses and to close connections. */
export const CLOSE_MARGIN_MS = 3_000;

/**
 * Calls `close` at the first SIGINT or SIGTERM, or when the supervisor of this process is gone, and exits with 0 when
 * it resolves. Exits with 1 after `deadlineMs`, or at a second signal that comes more than a second later. The returned
 * function starts the shutdown for another reason.
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
    log.error({ deadlineMs }, 'shutdown took too long');
    end(1);
  }, deadlineMs).unref();
  try {
    await close();
    log.info('closed');
    end(0);
  } catch (error) {
    log.error({ err: error }, 'shutdown failed');
    end(1);
  }
}

/**
 * Waits for work at most `limitMs`, because work that needs an unreachable server may never end. Ignores its errors.
 */
export async function waitAtMost(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

/** A process has started within this time. */
const STARTING_MS = 10_000;

/** EX_CONFIG of sysexits: a restart does not help, somebody must change the configuration. */
const EX_CONFIG = 78;

/**
 * Loads the modules of a process. If a package is missing or not made for this machine, the process ends with one line
 * and exit code 78, since no restart helps.
 */
export async function loadOrExit<T>(load: () => Promise<T>): Promise<T> {
  keepHeapSmall();
  try {
    return await load();
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return exitWithLine(`the installation is broken, run npm ci: ${line}`, EX_CONFIG);
  }
}

/**
 * Limits the heap during the start, which creates much garbage at once. V8 would react with a young generation of 30
 * MB, and keep it while the process is idle. Then the default applies again, for a process under load.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=2'), STARTING_MS).unref();
}

/** Writes a one-line message to standard error and ends the process. */
export function exitWithLine(error: unknown, exitCode: number): never {
  const line = error instanceof Error ? error.message : String(error);
  process.stderr.write(`deferred-uploads: ${line}\n`);
  process.exit(exitCode);
}
