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
