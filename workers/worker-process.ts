import { ConfigError, isOwnChild, loadConfig } from '../src/settings/config.ts';
import { createLog } from '../src/telemetry/log.ts';
import { logPrintedLines } from '../src/telemetry/printed-lines.ts';
import { warnOfRoot } from '../src/telemetry/root-warning.ts';
import { watchEventLoop } from '../src/telemetry/watchdog.ts';
import { CLOSE_MARGIN_MS, closeOnSignal, exitWithLine } from '../src/server/shutdown.ts';
import { Replacement } from './replacement.ts';
import { openWorker, type WorkerKind } from './services.ts';
import { WORKER_TIMING } from './worker-timing.ts';

/** Runs a worker process until it receives a signal to stop. A wrong setting ends it with one line. */
export function runWorkerProcess(kind: WorkerKind): void {
  run(kind).catch((error: unknown) => exitWithLine(error, error instanceof ConfigError ? ConfigError.exitCode : 1));
}

async function run(kind: WorkerKind): Promise<void> {
  const config = loadConfig();
  const log = createLog('worker', config);
  logPrintedLines(log);
  const timing = kind.timing ?? WORKER_TIMING;
  const replacement = new Replacement(log);
  // Nothing has to be closed if the supervisor ends while this process waits for Redis.
  const leave = (): never => process.exit(0);
  process.once('disconnect', leave);
  const worker = await openWorker(config, log, kind, {
    onUnresponsive: () => replacement.ask(),
    onBusy: sendOnce({ type: 'busy' }),
  });
  process.off('disconnect', leave);
  const endWatch = watchEventLoop(timing.loopLimitMs);
  const close = async (): Promise<void> => {
    await worker.close(config.shutdownGraceMs);
    endWatch();
  };
  const deadlineMs = config.shutdownGraceMs + CLOSE_MARGIN_MS;
  replacement.close = closeOnSignal(log, deadlineMs, close, (exitCode) => replacement.end(exitCode, worker));
  await worker.start();
  if (!isOwnChild()) warnOfRoot(log);
  log.info('ready');
  process.send?.({ type: 'ready' });
}

/** Returns a function that sends the message to the parent process, once at most. */
function sendOnce(message: { type: string }): () => void {
  let isSent = false;
  return () => {
    if (!isSent) process.send?.(message);
    isSent = true;
  };
}
