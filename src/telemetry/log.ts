import { pino, type Logger } from 'pino';
import type { Config } from '../settings/config.ts';

export type { Logger } from 'pino';

/** JSON lines on standard output; `role` tells the processes of one installation apart. */
export function createLog(role: 'api' | 'worker', config: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
