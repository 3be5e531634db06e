import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { ServiceProcess } from './service.ts';

/** To be among the settings of a service whose heap is to be looked at. */
export const HEAP_REPORTER = {
  NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/helpers/heap-reporter.mjs')).href}`,
};

/** Bytes that a process still holds when its garbage is collected, those of buffers among them. */
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
