import {
  attemptPrefix,
  growingPartKey,
  type GrowingPart,
  manifestKey,
  originalKey,
  partKey,
  uploadPrefix,
} from '../../src/storage/keys.ts';

const FENCING_TOKEN = '5f0c1e7a-0000-4000-8000-000000000000';

/** The keys of one upload in all forms of the service. */
export interface UploadKeys {
  readonly id: string;
  /** Prefix of all keys. */
  readonly prefix: string;
  readonly original: string;
  readonly manifest: string;
  variant(name?: string, attempt?: number): string;
  /** The folder of an attempt. */
  attempt(attempt?: number): string;
  part(offset: number): string;
  growing(offset: number, nonce: number, part: GrowingPart): string;
}

/** Returns the keys of the n-th upload, in the folder `shard`. */
export function uploadKeys(n: number, shard = 'ab'): UploadKeys {
  const id = `${shard}${String(n).padStart(6, '0')}-0000-4000-8000-000000000000`;
  return {
    id,
    prefix: uploadPrefix(id),
    original: originalKey(id, FENCING_TOKEN),
    manifest: manifestKey(id, FENCING_TOKEN),
    variant: (name = '160.jpeg', attempt = 1) => `${attemptPrefix(id, attempt)}/${name}`,
    attempt: (attempt = 1) => attemptPrefix(id, attempt),
    part: (offset) => partKey(id, offset, '0123456789ab'),
    growing: (offset, nonce, part) => growingPartKey(id, offset, String(nonce).padStart(12, '0'), part),
  };
}
