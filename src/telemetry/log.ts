import { pino, type Logger } from 'pino';
import type { Config } from '../settings/config.ts';
import { withoutIds } from './upload-ref.ts';

export type { Logger } from 'pino';

/** Creates a log that writes JSON lines to standard output, each with the role and the pid of the process. */
export function createLog(role: 'api' | 'worker', config: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    base: { role, pid: process.pid },
    serializers: { err: errorWithoutIds },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** Errors of the file system and of S3 contain paths, and paths contain upload ids. */
function errorWithoutIds(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const fields = Object.entries(pino.stdSerializers.err(error));
  return Object.fromEntries(
    fields.map(([name, value]: [string, unknown]) => [name, typeof value === 'string' ? withoutIds(value) : value]),
  );
}
