import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** `deferred-uploads-<host>-<pid>-<uuid>`; a host's name may have hyphens of its own. */
const COPY_NAME = /^deferred-uploads-(.+)-(\d{1,10})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A new path for a copy of an object. Its name says which process of which host removes it. */
export function newCopyPath(directory: string): string {
  return join(directory, `deferred-uploads-${ownHost()}-${process.pid}-${randomUUID()}`);
}

/**
 * Removes the copies of processes of this host that are gone. Workers are killed by design, so their copies would stay.
 * Copies of other hosts stay, since the folder may be shared. Returns how many were removed.
 */
export async function removeAbandonedCopies(directory: string): Promise<number> {
  const abandoned = (await readdir(directory)).filter(isAbandoned);
  for (const name of abandoned) await rm(join(directory, name), { force: true });
  return abandoned.length;
}

function isAbandoned(name: string): boolean {
  const [, host, pid] = COPY_NAME.exec(name) ?? [];
  return host === ownHost() && !isAlive(Number(pid));
}

function ownHost(): string {
  return hostname().replace(/[^A-Za-z0-9.-]/g, '_');
}

/** A process of another user counts as alive: it exists, though it may not be signalled. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
