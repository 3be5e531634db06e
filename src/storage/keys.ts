import { randomBytes } from 'node:crypto';

/** A UUID of version 4 without its first two digits. These digits name the shard folder. */
const ID_TAIL = '[0-9a-f]{6}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const UUID = `[0-9a-f]{2}${ID_TAIL}`;

/** The shard, the id that begins with it, and the rest of the key. */
const OWN_KEY = new RegExp(`^([0-9a-f]{2})/(\\1${ID_TAIL})/(.+)$`);

/** A folder that can contain files of uploads. */
const OWN_FOLDER = new RegExp(`^([0-9a-f]{2})(/\\1${ID_TAIL}(/parts|/attempt-\\d{1,16})?)?$`);

/** Patterns for the rest of a key. A fencing token is a UUID too. */
const ORIGINAL = new RegExp(`^(${UUID})\\.original$`);
const MANIFEST = new RegExp(`^(${UUID})\\.manifest\\.json$`);
const PART = /^parts\/(\d{16})-[0-9a-f]{12}(?:-(\d{16})(-open)?)?$/;
const VARIANT = /^attempt-(\d{1,16})\/[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

/** The ending of an incomplete file: a nonce, and an extra ending for a small file that is written with a large one. */
const UNFINISHED = /\.[0-9a-f]{12}\.part(\.beside\.part)?$/;

/** The installation marker in the root of the storage. */
export const MARKER_KEY = '.deferred-uploads.json';

/** A file of an upload, read from its key. */
export interface OwnKey {
  /** The id of the upload. */
  readonly id: string;
  readonly kind: 'original' | 'manifest' | 'part' | 'variant';
  /** The fencing token in the key of an original or a manifest. Other keys have none. */
  readonly fencingToken?: string;
  /** The offset of the first byte of a part. Other keys have none. */
  readonly offset?: number;
  /** The state of a part that grows. Other keys have none. */
  readonly growing?: GrowingPart;
}

/** The state of a part that grows, which its key contains. */
export interface GrowingPart {
  /** The number of durable bytes. The file may have more, which do not count. */
  readonly sizeBytes: number;
  /** True while a request writes to the part, and after its process was killed. */
  readonly isOpen: boolean;
}

/**
 * Parses the key of an upload's file. Undefined for a name that this service did not make. The service must only remove
 * files whose key this function recognizes.
 */
export function parseKey(key: string): OwnKey | undefined {
  const [, , id, rest = ''] = OWN_KEY.exec(key) ?? [];
  if (id === undefined) return undefined;
  const original = ORIGINAL.exec(rest)?.[1];
  if (original !== undefined) return { id, kind: 'original', fencingToken: original };
  const manifest = MANIFEST.exec(rest)?.[1];
  if (manifest !== undefined) return { id, kind: 'manifest', fencingToken: manifest };
  const [, offset, sizeBytes, open] = PART.exec(rest) ?? [];
  if (offset !== undefined) {
    const part = { id, kind: 'part', offset: Number(offset) } as const;
    if (sizeBytes === undefined) return part;
    return { ...part, growing: { sizeBytes: Number(sizeBytes), isOpen: open !== undefined } };
  }
  return isDerived(rest) ? { id, kind: 'variant' } : undefined;
}

/** Returns the key that an unfinished file on disk will have. Undefined for a name that this service did not make. */
export function unfinishedKey(path: string): string | undefined {
  if (!UNFINISHED.test(path)) return undefined;
  const key = path.replace(UNFINISHED, '');
  return parseKey(key) === undefined ? undefined : key;
}

/** True for the path of a folder that can contain files of uploads. The root is the empty path. */
export function isOwnFolder(path: string): boolean {
  return path === '' || OWN_FOLDER.test(path);
}

/** True for the folder of one upload and for folders below it. They are removed when they are empty. */
export function isFolderOfUpload(path: string): boolean {
  return path.includes('/') && OWN_FOLDER.test(path);
}

/** Returns the prefix of all files of an upload. The first two digits of the id distribute uploads over 256 folders. */
export function uploadPrefix(id: string): string {
  return `${id.slice(0, 2)}/${id}`;
}

/**
 * Returns the key of the bytes as uploaded. The fencing token keeps a late request from replacing the file of the
 * request that took over.
 */
export function originalKey(id: string, fencingToken: string): string {
  return `${uploadPrefix(id)}/${fencingToken}.original`;
}

/**
 * Returns the key of the manifest, from which record and job can be restored. It exists only if the bytes are complete.
 */
export function manifestKey(id: string, fencingToken: string): string {
  return `${uploadPrefix(id)}/${fencingToken}.manifest.json`;
}

/** Returns the prefix of the parts of a resumable upload. */
export function partsPrefix(id: string): string {
  return `${uploadPrefix(id)}/parts`;
}

/**
 * Returns the key of a part that begins at `offset`. The nonce (12 hex digits) keeps a late request from overwriting an
 * acknowledged part.
 */
export function partKey(id: string, offset: number, nonce: string): string {
  return `${partsPrefix(id)}/${String(offset).padStart(16, '0')}-${nonce}`;
}

/** Like `partKey`, for a part that grows. A request that writes to it renames it whenever more bytes are durable. */
export function growingPartKey(id: string, offset: number, nonce: string, { sizeBytes, isOpen }: GrowingPart): string {
  return `${partKey(id, offset, nonce)}-${String(sizeBytes).padStart(16, '0')}${isOpen ? '-open' : ''}`;
}

/** Returns the offset at which a part begins. Undefined for any other key. */
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

/** Returns the key of a derived file. It contains the attempt, so that a superseded attempt overwrites no file. */
export function variantKey(id: string, attempt: number, name: string, format: string): string {
  return derivedKey(id, attempt, `${name}.${format}`);
}

/**
 * Like `variantKey`, for a whole file name. Throws for a name without an ending, because `parseKey` would not recognize
 * it.
 */
export function derivedKey(id: string, attempt: number, fileName: string): string {
  const key = `${attemptPrefix(id, attempt)}/${fileName}`;
  if (!isDerived(key.slice(uploadPrefix(id).length + 1)))
    throw new Error(`not the name of a derived file: ${fileName}`);
  return key;
}

function isDerived(rest: string): boolean {
  return VARIANT.test(rest) && !UNFINISHED.test(rest);
}

/** Returns the prefix of all files of an attempt. */
export function attemptPrefix(id: string, attempt: number): string {
  return `${uploadPrefix(id)}/attempt-${attempt}`;
}

/** True for a path that every driver accepts as a key or prefix. */
function isSafeKey(key: string): boolean {
  return key.split('/').every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.+$/.test(segment));
}

/**
 * Returns the key unchanged. Throws for an unsafe key. Only the service makes keys, so a wrong one is a bug. Even then
 * it must not lead out of the storage.
 */
export function requireKey(key: string): string {
  if (!isSafeKey(key)) throw new Error('not a storage key');
  return key;
}

/**
 * Returns the random part of a new key, or of the name of a draft. Each request makes its own, so that a paused one
 * cannot rename the object of a later one.
 */
export function newNonce(): string {
  return randomBytes(6).toString('hex');
}
