/** A UUID of version 4 without its first two digits, which name the folder of the shard. */
const ID_TAIL = '[0-9a-f]{6}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const UUID = `[0-9a-f]{2}${ID_TAIL}`;

/** The shard, the id that begins with it, and the rest. */
const OWN_KEY = new RegExp(`^([0-9a-f]{2})/(\\1${ID_TAIL})/(.+)$`);

/** A folder that can hold files of uploads. */
const OWN_FOLDER = new RegExp(`^([0-9a-f]{2})(/\\1${ID_TAIL}(/parts|/attempt-\\d{1,16})?)?$`);

/** The forms of the rest. A fencing token is a UUID too. */
const ORIGINAL = new RegExp(`^(${UUID})\\.original$`);
const MANIFEST = new RegExp(`^(${UUID})\\.manifest\\.json$`);
const PART = /^parts\/(\d{16})-[0-9a-f]{12}$/;
const VARIANT = /^attempt-(\d{1,16})\/[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

/** The ending of a file that is not complete yet: a nonce, and once more for the small file beside a large one. */
const UNFINISHED = /\.[0-9a-f]{12}\.part(\.beside\.part)?$/;

/** The installation marker in the storage's root. */
export const MARKER_KEY = '.deferred-uploads.json';

/** The file that a key names. Everything else in a storage belongs to somebody else. */
export interface OwnKey {
  /** Of the upload. */
  readonly id: string;
  readonly kind: 'original' | 'manifest' | 'part' | 'variant';
  /** Of an original or a manifest. */
  readonly fencingToken?: string;
  /** Of a part: where it begins. */
  readonly offset?: number;
}

/**
 * Reads a key of an upload's file; undefined for everything that this service did not name. Nothing may be removed
 * from a storage unless this function recognises its key.
 */
export function parseKey(key: string): OwnKey | undefined {
  const [, , id, rest = ''] = OWN_KEY.exec(key) ?? [];
  if (id === undefined) return undefined;
  const original = ORIGINAL.exec(rest)?.[1];
  if (original !== undefined) return { id, kind: 'original', fencingToken: original };
  const manifest = MANIFEST.exec(rest)?.[1];
  if (manifest !== undefined) return { id, kind: 'manifest', fencingToken: manifest };
  const offset = PART.exec(rest)?.[1];
  if (offset !== undefined) return { id, kind: 'part', offset: Number(offset) };
  return isDerived(rest) ? { id, kind: 'variant' } : undefined;
}

/** The key that an unfinished file on disk will have; undefined for a name that this service did not make. */
export function unfinishedKey(path: string): string | undefined {
  if (!UNFINISHED.test(path)) return undefined;
  const key = path.replace(UNFINISHED, '');
  return parseKey(key) === undefined ? undefined : key;
}

/** True for the path of a folder that can hold files of uploads; the root is the empty path. */
export function isOwnFolder(path: string): boolean {
  return path === '' || OWN_FOLDER.test(path);
}

/** True for a folder of one upload or below it. Empty ones are removed. */
export function isFolderOfUpload(path: string): boolean {
  return path.includes('/') && OWN_FOLDER.test(path);
}

/** Every file of an upload lies below this; two letters of the id spread the directories. */
export function uploadPrefix(id: string): string {
  return `${id.slice(0, 2)}/${id}`;
}

/** The bytes as uploaded. The fencing token keeps a late request from writing over the one that took over. */
export function originalKey(id: string, fencingToken: string): string {
  return `${uploadPrefix(id)}/${fencingToken}.original`;
}

/** The file from which record and job can be rebuilt when Redis has lost them; it exists only beside complete bytes. */
export function manifestKey(id: string, fencingToken: string): string {
  return `${uploadPrefix(id)}/${fencingToken}.manifest.json`;
}

/** The bytes received so far of an upload that is sent in several requests. */
export function partsPrefix(id: string): string {
  return `${uploadPrefix(id)}/parts`;
}

/** Bytes from `offset` on. The nonce (12 hexadecimal digits) keeps a late request from writing over an acknowledged part. */
export function partKey(id: string, offset: number, nonce: string): string {
  return `${partsPrefix(id)}/${String(offset).padStart(16, '0')}-${nonce}`;
}

/** The offset at which a part begins; undefined for any other key. */
export function partOffset(key: string): number | undefined {
  return parseKey(key)?.offset;
}

/** True for a file that the request with that fencing token has written. */
export function isOfFencingToken(key: string, id: string, fencingToken: string): boolean {
  return key.startsWith(`${uploadPrefix(id)}/${fencingToken}.`);
}

/** True for the key of a manifest. */
export function isManifestKey(key: string): boolean {
  return parseKey(key)?.kind === 'manifest';
}

/** A derived file of one attempt: an attempt that lost its place overwrites nothing. */
export function variantKey(id: string, attempt: number, name: string, format: string): string {
  return derivedKey(id, attempt, `${name}.${format}`);
}

/** As `variantKey`, for a whole file name. Throws for a name without an ending: such a file could never be removed. */
export function derivedKey(id: string, attempt: number, fileName: string): string {
  const key = `${attemptPrefix(id, attempt)}/${fileName}`;
  if (!isDerived(key.slice(uploadPrefix(id).length + 1)))
    throw new Error(`not the name of a derived file: ${fileName}`);
  return key;
}

function isDerived(rest: string): boolean {
  return VARIANT.test(rest) && !UNFINISHED.test(rest);
}

/** Everything that an attempt wrote. */
export function attemptPrefix(id: string, attempt: number): string {
  return `${uploadPrefix(id)}/attempt-${attempt}`;
}

/** True for a path that every driver takes as a key or prefix. */
export function isSafeKey(key: string): boolean {
  return key.split('/').every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.+$/.test(segment));
}

/**
 * The key itself. Throws for a key that no driver takes: keys are made by the service, so a wrong one is a fault of
 * ours; it must still not lead out of the storage.
 */
export function requireKey(key: string): string {
  if (!isSafeKey(key)) throw new Error('not a storage key');
  return key;
}
