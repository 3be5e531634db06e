import { pino, type Logger } from 'pino';
import type { Config } from '../settings/config.ts';
import { redacted } from './without-secrets.ts';

export type { Logger } from 'pino';

/** Creates a log that writes JSON lines to standard output, each with the role and the pid of the process. */
export function createLog(role: 'api' | 'worker', config: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    base: { role, pid: process.pid },
    serializers: { err: errorWithoutSecrets },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** Removes secrets: errors of the file system, of S3 and of Redis contain upload ids. */
function errorWithoutSecrets(error: unknown): unknown {
  return redacted(error instanceof Error ? { ...pino.stdSerializers.err(error) } : error);
}
