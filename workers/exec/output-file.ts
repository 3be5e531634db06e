import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../src/storage/file-errors.ts';

/** A plain name, so that it cannot lead out of the folder. The storage requires the ending. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;
const MAX_NAME_CHARS = 100;

/** The flags to open a file. They never follow a link, and never wait for the writer of a named pipe. */
const READ_SAFELY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
  gif: 'image/gif',
  txt: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  pdf: 'application/pdf',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
};

/** Returns the ending of a file name. Throws if the name cannot be published. */
export function formatOf(name: string): string {
  if (!FILE_NAME.test(name) || name.length > MAX_NAME_CHARS)
    throw new Error(
      `the program named an output file with a forbidden name: ${JSON.stringify(name.slice(0, MAX_NAME_CHARS))}`,
    );
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Returns the media type of an ending, for a program that names none. */
export function typeOfFormat(format: string): string {
  return TYPES[format.toLowerCase()] ?? 'application/octet-stream';
}

/** Opens a file that a program has written. Rejects if it is missing, is a link, or is no regular file. */
export async function openOutputFile(folder: string, name: string): Promise<FileHandle> {
  const file = await open(join(folder, name), READ_SAFELY).catch((error: unknown) => {
    throw new Error(`the output file ${name} cannot be published: ${reasonOf(codeOf(error))}`, { cause: error });
  });
  const { isRegular, nlink } = await file.stat().then((stats) => ({ isRegular: stats.isFile(), nlink: stats.nlink }));
  if (isRegular && nlink === 1) return file;
  await file.close();
  throw new Error(
    `the output file ${name} cannot be published: it is ${isRegular ? 'a hard link' : 'no regular file'}`,
  );
}

function reasonOf(code: string): string {
  if (code === 'ENOENT') return 'it is missing';
  return code === 'ELOOP' ? 'it is a symbolic link' : code;
}
