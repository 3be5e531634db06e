import { ConfigError, loadConfig } from '../settings/config.ts';
import { createLog } from '../telemetry/log.ts';
import { startApi } from './services.ts';
import { CLOSE_MARGIN_MS, closeOnSignal, exitWithLine } from './shutdown.ts';

/** Runs an API process until it is told to stop; a wrong setting ends it with one line. */
export async function runApi(): Promise<void> {
  await start().catch((error: unknown) => {
    if (isPortTaken(error)) exitWithLine(new Error(`PORT is taken: ${error.message}`), ConfigError.exitCode);
    exitWithLine(error, error instanceof ConfigError ? ConfigError.exitCode : 1);
  });
}

async function start(): Promise<void> {
  const config = loadConfig();
  const log = createLog('api', config);
  const api = await startApi(config, log);
  closeOnSignal(log, config.shutdownDelayMs + config.shutdownGraceMs + CLOSE_MARGIN_MS, () =>
    api.close(config.shutdownGraceMs),
  );
  log.info({ url: api.url }, 'listening');
  process.send?.({ type: 'listening', url: api.url });
}

function isPortTaken(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
}
