import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { ServiceProcess } from './service.ts';

/** Settings that a service needs for `heldBytes`. */
export const HEAP_REPORTER = {
  NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/helpers/heap-reporter.mjs')).href}`,
};

/** Returns the bytes that a process holds after a garbage collection, with its buffers. */
export async function heldBytes({ child }: ServiceProcess): Promise<number> {
  return await new Promise((settle) => {
    const onMessage = (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('bytes' in message)) return;
      child.off('message', onMessage);
      settle(Number(message.bytes));
    };
    child.on('message', onMessage);
    child.send('heap');
  });
}
