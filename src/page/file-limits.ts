import type { Limits, Problem } from '../wire/documents.ts';
import type { NamedFile } from './file-kinds.ts';

/** The limits that the page checks before it sends a file. */
export type FileLimits = Pick<Limits, 'maxFileBytes' | 'retentionMs' | 'types'>;

/** Reads what may be sent, with the ticket of the page if it has one. Null if the server does not say. */
export async function readLimits(base: string, ticket: string | undefined): Promise<FileLimits | null> {
  try {
    const headers: Record<string, string> = ticket === undefined ? {} : { Authorization: `Bearer ${ticket}` };
    const response = await fetch(`${base}/limits`, { headers });
    if (!response.ok) return null;
    const value: unknown = await response.json();
    return isFileLimits(value) ? value : null;
  } catch {
    return null;
  }
}

/** Returns why the server would refuse the file, or null. The bytes decide in the end, so a file may still fail. */
export function refusalOf(file: NamedFile & { size: number }, limits: FileLimits): Problem | null {
  if (file.size === 0) return refusal('empty_file', 400);
  if (file.size > limits.maxFileBytes) return refusal('file_too_large', 413);
  return isAcceptedName(file, limits) ? null : refusal('unsupported_name', 415);
}

function isAcceptedName({ name, type }: NamedFile, { types }: FileLimits): boolean {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  // Without an extension or a type, only the bytes show the type of the file.
  if (extension === undefined && (type ?? '') === '') return true;
  // A kind of file whose usual names are not known may have any name.
  return types.some(
    (known) => known.extensions.length === 0 || known.type === type || known.extensions.includes(extension ?? ''),
  );
}

function refusal(code: string, status: number): Problem {
  return { type: 'about:blank', title: 'Not sent', status, detail: 'The page did not send this file.', code };
}

function isFileLimits(value: unknown): value is FileLimits {
  return (
    typeof value === 'object' &&
    value !== null &&
    'maxFileBytes' in value &&
    typeof value.maxFileBytes === 'number' &&
    'retentionMs' in value &&
    typeof value.retentionMs === 'number' &&
    'types' in value &&
    Array.isArray(value.types)
  );
}
