import fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, isMissing, isTaken } from './file-errors.ts';
import { FILE_MODE, FOLDER_MODE } from './local-folders.ts';

/** A new file. It gets its name when its bytes are durable. */
export interface NewFile {
  readonly partPath: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files of one folder that become visible in this order, and all of them or none. */
export interface StoreJob {
  readonly number: number;
  readonly files: readonly NewFile[];
}

/** The outcome of a job. Without an error all its files are durable. With one, none is left. */
export interface StoreOutcome {
  readonly number: number;
  /** True if the folder existed before. */
  readonly hadFolder: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A job while its batch runs. */
interface Running extends StoreJob {
  readonly opened: number[];
  hadFolder: boolean;
  error?: unknown;
}

/**
 * If the disk needs less than this for a file, the files are synced one after the other, which takes the least
 * processor time. Otherwise the disk joins the syncs that it gets at the same time.
 */
const QUICK_SYNC_MS = 1;

/** Number of attempts to open a file. One fails only if the folder is removed at the same moment. */
const MAX_OPEN_TRIES = 10;

/** Time that a sync takes: the median of the last batch. */
let syncMs = QUICK_SYNC_MS;

/**
 * Stores the files of all jobs: writes and syncs them, renames them, and then syncs each folder with new names once.
 * Its calls block, so it belongs into a thread of its own. A failed job does not affect the others. Never rejects.
 */
export async function storeBatch(jobs: readonly StoreJob[]): Promise<StoreOutcome[]> {
  const running = jobs.map((job): Running => ({ ...job, opened: [], hadFolder: false }));
  const folders = new Map<string, Running[]>();
  for (const job of running) attempt(job, () => writeParts(job, folders));
  const isQuick = syncMs < QUICK_SYNC_MS;
  const tookMs = await syncAll(
    running.flatMap((job) => job.opened.map((file) => ({ file, jobs: [job] }))),
    isQuick,
  );
  syncMs = tookMs.sort((one, other) => one - other)[tookMs.length >> 1] ?? syncMs;
  for (const job of running) attempt(job, () => nameFiles(job, folders));
  await syncFolders(folders, isQuick);
  return running.map(outcomeOf);
}

function attempt(job: Running, work: () => void): void {
  if (job.error !== undefined) return;
  try {
    work();
  } catch (error) {
    job.error = error;
  }
}

function writeParts(job: Running, folders: Map<string, Running[]>): void {
  for (const { partPath, bytes } of job.files) {
    const file = openNew(partPath, job, folders);
    job.opened.push(file);
    for (let written = 0; written < bytes.length;) written += fs.writeSync(file, bytes, written);
  }
}

/** Opens a new file. Tries again if its folders are removed meanwhile, with the last file of another upload. */
function openNew(partPath: string, job: Running, folders: Map<string, Running[]>): number {
  for (let tries = 1; ; tries += 1) {
    if (job.opened.length === 0) job.hadFolder = !makeFolders(dirname(partPath), job, folders);
    try {
      return fs.openSync(partPath, 'wx', FILE_MODE);
    } catch (error) {
      if (!isMissing(error) || tries > MAX_OPEN_TRIES || job.opened.length > 0) throw error;
    }
  }
}

/** Makes a folder and its missing parents. False if it exists. The names of new ones are synced with the batch. */
function makeFolders(folder: string, job: Running, folders: Map<string, Running[]>): boolean {
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (isTaken(error)) return false;
    if (!isMissing(error) || folder === dirname(folder)) throw error;
    makeFolders(dirname(folder), job, folders);
    return makeFolders(folder, job, folders);
  }
  syncLater(dirname(folder), job, folders);
  return true;
}

function syncLater(folder: string, job: Running, folders: Map<string, Running[]>): void {
  const jobs = folders.get(folder);
  if (jobs === undefined) folders.set(folder, [job]);
  else jobs.push(job);
}

function nameFiles(job: Running, folders: Map<string, Running[]>): void {
  for (const file of job.opened.splice(0)) fs.closeSync(file);
  for (const { partPath, path } of job.files) {
    fs.renameSync(partPath, path);
    syncLater(dirname(path), job, folders);
  }
}

async function syncFolders(folders: ReadonlyMap<string, Running[]>, isQuick: boolean): Promise<void> {
  const opened: { file: number; jobs: Running[] }[] = [];
  for (const [folder, jobs] of folders) {
    try {
      opened.push({ file: fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY), jobs });
    } catch (error) {
      for (const job of jobs) job.error ??= error;
    }
  }
  await syncAll(opened, isQuick);
  for (const { file } of opened) fs.closeSync(file);
}

/** Syncs open files or folders. An error ends the jobs that need the sync. Returns the time that each sync took. */
async function syncAll(
  files: readonly { file: number; jobs: readonly Running[] }[],
  isQuick: boolean,
): Promise<number[]> {
  const syncs = files.map(async ({ file, jobs }) => {
    const startedAtMs = performance.now();
    try {
      if (isQuick) fs.fsyncSync(file);
      else await promisify(fs.fsync)(file);
    } catch (error) {
      for (const job of jobs) job.error ??= error;
    }
    return performance.now() - startedAtMs;
  });
  return await Promise.all(syncs);
}

function outcomeOf({ number, hadFolder, error, files, opened }: Running): StoreOutcome {
  if (error === undefined) return { number, hadFolder };
  for (const file of opened) fs.closeSync(file);
  // The last file proves that the others are complete, so it is removed first.
  for (const { partPath, path } of files.toReversed()) for (const each of [path, partPath]) remove(each);
  return {
    number,
    hadFolder,
    error: { code: codeOf(error), message: error instanceof Error ? error.message : 'unknown' },
  };
}

/** Removes a file. If the disk cannot be used now, the janitor removes it later. */
function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    return;
  }
}
