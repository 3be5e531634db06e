import { manifestKey } from './keys.ts';
import { putObject, type Storage } from './storage.ts';

/** Everything from which record and job of a stored upload can be made again. */
export interface Manifest {
  id: string;
  publicId: string;
  receipt: string;
  name: string;
  type: string;
  sizeBytes: number;
  sha256: string;
  options: unknown;
  createdAt: string;
}

/** Writes it durably. Call it only when the bytes are durable: its being there says that they are whole. */
export async function writeManifest(storage: Storage, manifest: Manifest): Promise<void> {
  await putObject(storage, manifestKey(manifest.id, manifest.receipt), Buffer.from(JSON.stringify(manifest)));
}
