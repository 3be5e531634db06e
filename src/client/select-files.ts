import type { Problem } from '../wire/documents.ts';

/** What the application or the service accepts. A member that is missing or null does not restrict. */
export interface Restrictions {
  /** As the attribute of an input: media types such as `image/*` and extensions such as `.csv`, with commas. */
  accept?: string | null;
  /** Types with their file extensions, as the service lists them. A type without extensions may have any. */
  types?: readonly { readonly type: string; readonly extensions?: readonly string[] }[] | null;
  maxFileBytes?: number | null;
  maxFiles?: number | null;
}

/** A file that need not be sent, with the problem that the service would answer. Its `status` is 0. */
export interface RejectedFile<F extends Blob = File> {
  readonly file: F;
  readonly problem: Problem;
}

/** Each file is in one of the lists, in the given order. */
export interface SelectedFiles<F extends Blob = File> {
  readonly accepted: F[];
  readonly rejected: RejectedFile<F>[];
}

/**
 * Checks files before they are sent, for example with the limits that `client.limits()` returns. The codes are those of
 * the service: `unsupported_media_type`, `file_too_large`, `too_many_files`. The service determines types from the
 * bytes, so it may still reject a file that is accepted here.
 */
export function selectFiles<F extends Blob>(files: Iterable<F>, restrictions: Restrictions): SelectedFiles<F> {
  const accepted: F[] = [];
  const rejected: RejectedFile<F>[] = [];
  for (const file of files) {
    const problem = problemOf(file, accepted.length, restrictions);
    if (problem) rejected.push({ file, problem });
    else accepted.push(file);
  }
  return { accepted, rejected };
}

function problemOf(
  file: Blob,
  acceptedCount: number,
  { accept, types, maxFileBytes, maxFiles }: Restrictions,
): Problem | undefined {
  if (!matches(file, tokensOf(accept)) || !matches(file, tokensOfTypes(types ?? [])))
    return problem('unsupported_media_type', 'File type not accepted', 'Files of this type are not accepted.');
  if (maxFileBytes != null && file.size > maxFileBytes) {
    const detail = `The file has ${inWords(file.size)}. The limit is ${inWords(maxFileBytes)}.`;
    return problem('file_too_large', 'File too large', detail);
  }
  if (maxFiles != null && acceptedCount >= maxFiles)
    return problem('too_many_files', 'Too many files', `At most ${maxFiles} files are accepted.`);
  return undefined;
}

function problem(code: string, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status: 0, detail, code };
}

/** True if a token matches the file. Browsers leave unknown types empty. Then only the service can decide. */
function matches(file: Blob, tokens: readonly string[]): boolean {
  if (tokens.length === 0) return true;
  const name = 'name' in file && typeof file.name === 'string' ? file.name.toLowerCase() : '';
  const type = file.type.toLowerCase().split(';')[0] ?? '';
  const hasExtensions = tokens.some((token) => token.startsWith('.'));
  if (type === '' && !hasExtensions) return true;
  return tokens.some((token) => {
    if (token.startsWith('.')) return name.endsWith(token);
    return token.endsWith('/*') ? type.startsWith(token.slice(0, -1)) : type === token;
  });
}

function tokensOf(accept: string | null | undefined): string[] {
  const tokens = (accept ?? '').split(',').map((token) => token.trim().toLowerCase());
  return tokens.filter((token) => token !== '' && token !== '*/*');
}

function tokensOfTypes(types: NonNullable<Restrictions['types']>): string[] {
  const isOpen = types.some(({ extensions = [] }) => extensions.length === 0);
  return isOpen ? [] : types.flatMap(({ type, extensions = [] }) => [type, ...extensions.map((name) => `.${name}`)]);
}

function inWords(bytes: number): string {
  const [divisor, unit] = bytes >= 1e9 ? [1e9, 'GB'] : bytes >= 1e6 ? [1e6, 'MB'] : [1e3, 'kB'];
  return `${Number((bytes / divisor).toFixed(bytes >= 1e9 ? 2 : 1))} ${unit}`;
}
