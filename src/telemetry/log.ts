import { pino, type Logger } from 'pino';
import type { Config } from '../settings/config.ts';
import { withoutIds } from './upload-ref.ts';

export type { Logger } from 'pino';

/** JSON lines on standard output; `role` tells the processes of one installation apart. */
export function createLog(role: 'api' | 'worker', config: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    base: { role, pid: process.pid },
    serializers: { err: errorWithoutIds },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** Errors of the file system and of S3 name files, whose paths contain ids. */
function errorWithoutIds(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const fields = Object.entries(pino.stdSerializers.err(error));
  return Object.fromEntries(
    fields.map(([name, value]: [string, unknown]) => [name, typeof value === 'string' ? withoutIds(value) : value]),
  );
}
