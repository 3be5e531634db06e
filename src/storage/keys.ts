/** Every file of an upload lies below this; two letters of the id spread the directories. */
export function uploadPrefix(id: string): string {
  return `${id.slice(0, 2)}/${id}`;
}

/** The bytes as uploaded. The receipt keeps a late request from writing over the one that took over. */
export function originalKey(id: string, receipt: string): string {
  return `${uploadPrefix(id)}/${receipt}.original`;
}

/** What record and job can be rebuilt from when Redis has lost them; there is one only beside complete bytes. */
export function manifestKey(id: string, receipt: string): string {
  return `${uploadPrefix(id)}/${receipt}.manifest.json`;
}

/** What has come so far of an upload that is sent in several requests. */
export function partsPrefix(id: string): string {
  return `${uploadPrefix(id)}/parts`;
}

/** Bytes from `offset` on. The nonce keeps a late request from writing over a part that was told of already. */
export function partKey(id: string, offset: number, nonce: string): string {
  return `${partsPrefix(id)}/${String(offset).padStart(16, '0')}-${nonce}`;
}

/** The offset at which a part begins; undefined for any other key. */
export function partOffset(key: string): number | undefined {
  const digits = /\/parts\/(\d{16})-[^/]+$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** True for a file that the request with that receipt has written. */
export function isOfReceipt(key: string, id: string, receipt: string): boolean {
  return key.startsWith(`${uploadPrefix(id)}/${receipt}.`);
}

/** The upload that a key belongs to; undefined for a key of another making. */
export function uploadIdOf(key: string): string | undefined {
  const [, id] = key.split('/');
  return id;
}

/** True for the key of a manifest. */
export function isManifestKey(key: string): boolean {
  return key.endsWith('.manifest.json');
}

/** A derived file of one attempt: an attempt that lost its place overwrites nothing. */
export function variantKey(id: string, attempt: number, name: string, format: string): string {
  return `${attemptPrefix(id, attempt)}/${name}.${format}`;
}

/** Everything that an attempt wrote. */
export function attemptPrefix(id: string, attempt: number): string {
  return `${uploadPrefix(id)}/attempt-${attempt}`;
}

/**
 * The key itself. Throws for what no driver takes: keys are made by the service, so a wrong one is a fault of
 * ours; it must still not lead out of the storage.
 */
export function requireKey(key: string): string {
  const isSafe = key.split('/').every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.+$/.test(segment));
  if (!isSafe) throw new Error('not a storage key');
  return key;
}
