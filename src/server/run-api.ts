import { ConfigError, isOwnChild, loadConfig } from '../settings/config.ts';
import { createLog } from '../telemetry/log.ts';
import { warnOfRoot } from '../telemetry/root-warning.ts';
import { watchEventLoop } from '../telemetry/watchdog.ts';
import { descriptorLimit, warnOfFewDescriptors } from './descriptors.ts';
import { listenFault } from './listen-fault.ts';
import { startApi } from './services.ts';
import { CLOSE_MARGIN_MS, closeOnSignal, exitWithLine } from './shutdown.ts';

/** No request keeps the event loop for this long. A process that stands still is killed, and its supervisor starts another. */
const LOOP_LIMIT_MS = 30_000;

/** Runs an API process until it is told to stop; a wrong setting ends it with one line. */
export async function runApi(): Promise<void> {
  await start().catch((error: unknown) => {
    const fault = listenFault(error) ?? error;
    exitWithLine(fault, fault instanceof ConfigError ? ConfigError.exitCode : 1);
  });
}

async function start(): Promise<void> {
  const config = loadConfig();
  const log = createLog('api', config);
  const api = await startApi(config, log);
  // After everything that ends a start with one line of its own.
  warnOfFewDescriptors(descriptorLimit(), config, log);
  watchEventLoop(LOOP_LIMIT_MS);
  closeOnSignal(log, config.shutdownDelayMs + config.shutdownGraceMs + CLOSE_MARGIN_MS, () =>
    api.close(config.shutdownGraceMs),
  );
  if (!isOwnChild()) warnOfRoot(log);
  log.info({ url: api.url }, 'listening');
  process.send?.({ type: 'listening', url: api.url });
}
