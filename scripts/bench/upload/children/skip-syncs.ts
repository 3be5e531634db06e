import { open } from 'node:fs/promises';

/** The methods of a file handle that sync. */
interface Syncs {
  sync(): Promise<void>;
  datasync(): Promise<void>;
}

/**
 * Makes every sync of a file do nothing in this process, to measure the cost without durability. The service has no
 * such setting.
 */
export async function skipSyncs(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  const prototype = Object.getPrototypeOf(handle) as Syncs;
  await handle.close();
  prototype.sync = () => Promise.resolve();
  prototype.datasync = () => Promise.resolve();
}
