import { createKinds } from '../kinds/kinds.ts';
import { loadOwnKinds } from '../kinds/own/load-processors.ts';
import { ConfigError, isOwnChild, loadConfig } from '../settings/config.ts';
import { createLog } from '../telemetry/log.ts';
import { logPrintedLines } from '../telemetry/printed-lines.ts';
import { warnOfRoot } from '../telemetry/root-warning.ts';
import { watchEventLoop } from '../telemetry/watchdog.ts';
import { descriptorLimit, warnOfFewDescriptors } from './descriptors.ts';
import { listenError } from './listen-error.ts';
import { startApi } from './services.ts';
import { CLOSE_MARGIN_MS, closeOnSignal, exitWithLine } from './shutdown.ts';

/**
 * No request blocks the event loop for this long. A blocked process is killed, and its supervisor starts another one.
 */
const LOOP_LIMIT_MS = 30_000;

/** Runs an API process until a signal stops it. A wrong setting ends the process with a one-line message. */
export async function runApi(): Promise<void> {
  await start().catch((error: unknown) => {
    const cause = listenError(error) ?? error;
    exitWithLine(cause, cause instanceof ConfigError ? ConfigError.exitCode : 1);
  });
}

async function start(): Promise<void> {
  const config = loadConfig();
  const log = createLog('api', config);
  logPrintedLines(log);
  const kinds = createKinds(config, await loadOwnKinds(config.processors));
  const api = await startApi(config, log, kinds);
  // This warning comes after the start has succeeded, so that a failed start prints one line.
  warnOfFewDescriptors(descriptorLimit(), config, log);
  watchEventLoop(LOOP_LIMIT_MS);
  closeOnSignal(log, config.shutdownDelayMs + config.shutdownGraceMs + CLOSE_MARGIN_MS, () =>
    api.close(config.shutdownGraceMs),
  );
  if (!isOwnChild()) warnOfRoot(log);
  log.info({ url: api.url, managementUrl: api.managementUrl }, 'listening');
  process.send?.({ type: 'listening', url: api.url, managementUrl: api.managementUrl });
}
