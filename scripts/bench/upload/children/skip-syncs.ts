import { open } from 'node:fs/promises';

/** What of a file handle makes durable. */
interface Syncs {
  sync(): Promise<void>;
  datasync(): Promise<void>;
}

/**
 * Makes every sync of a file do nothing in this process from now on: what is left is the price of everything
 * but durability. The service has no such setting.
 */
export async function skipSyncs(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  const prototype = Object.getPrototypeOf(handle) as Syncs;
  await handle.close();
  prototype.sync = () => Promise.resolve();
  prototype.datasync = () => Promise.resolve();
}
