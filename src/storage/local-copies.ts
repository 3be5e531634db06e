import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** The name of a copy: `deferred-uploads-<host>-<pid>-<uuid>`. The host name may contain hyphens. */
const COPY_NAME = /^deferred-uploads-(.+)-(\d{1,10})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns a new path for a copy of an object. The name contains the host and the process that remove it. */
export function newCopyPath(directory: string): string {
  return join(directory, `deferred-uploads-${ownHost()}-${process.pid}-${randomUUID()}`);
}

/**
 * Removes copies and folders that dead processes of this host left, because workers are killed by design. Copies of
 * other hosts stay: the folder may be shared. Returns the number of removed entries.
 */
export async function removeAbandonedCopies(directory: string): Promise<number> {
  const abandoned = (await readdir(directory)).filter(isAbandoned);
  for (const name of abandoned) await rm(join(directory, name), { recursive: true, force: true });
  return abandoned.length;
}

function isAbandoned(name: string): boolean {
  const [, host, pid] = COPY_NAME.exec(name) ?? [];
  return host === ownHost() && !isAlive(Number(pid));
}

function ownHost(): string {
  return hostname().replace(/[^A-Za-z0-9.-]/g, '_');
}

/** True for a live process, also one of another user, which this process may not signal. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
