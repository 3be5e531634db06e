import { format } from 'node:util';
import type { Logger } from './log.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Levels of the log by the functions of the console. */
const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;

/**
 * Writes what packages and processors print with `console`, and the warnings of Node, as lines of the log. Otherwise
 * the output of the process would not only have JSON lines. Call it once, in a process that is the service itself.
 */
export function logPrintedLines(log: Logger): void {
  for (const [name, level] of Object.entries(LEVELS)) {
    Object.defineProperty(console, name, {
      value: (...args: unknown[]) => log[level]({ text: withoutSecrets(format(...args)) }, 'printed by a package'),
    });
  }
  // The only listener so far is the one of Node, which prints the warning.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    log.warn({ warning: name, text: withoutSecrets(message) }, 'warning of Node');
  });
}
