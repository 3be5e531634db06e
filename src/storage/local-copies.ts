import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
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
  let removed = 0;
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!(await isAbandoned(name, path))) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

async function isAbandoned(name: string, path: string): Promise<boolean> {
  const [, host, pid] = COPY_NAME.exec(name) ?? [];
  if (host !== ownHost()) return false;
  if (Number(pid) !== process.pid) return !isAlive(Number(pid));
  // The processes of a restarted container get the same numbers again.
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < performance.timeOrigin;
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
