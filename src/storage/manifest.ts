import { buffer } from 'node:stream/consumers';
import { manifestKey } from './keys.ts';
import { z } from 'zod';
import type { SmallObject, Storage } from './storage.ts';

const manifestSchema = z.object({
  id: z.uuidv4(),
  publicId: z.string().min(1),
  receipt: z.string().min(1),
  name: z.string(),
  type: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  options: z.unknown(),
  createdAt: z.iso.datetime(),
});

/** Everything from which record and job of a stored upload can be made again. */
export type Manifest = z.infer<typeof manifestSchema>;

/** What lies beside the bytes. It is not to be seen before they are durable: its being there says that they are whole. */
export function manifestObject(manifest: Manifest): SmallObject {
  return { key: manifestKey(manifest.id, manifest.receipt), bytes: Buffer.from(JSON.stringify(manifest)) };
}

/** Undefined where there is none, or one that cannot be read: then its upload cannot be made again. */
export async function readManifest(storage: Pick<Storage, 'read'>, key: string): Promise<Manifest | undefined> {
  const stream = await storage.read(key);
  if (stream === undefined) return undefined;
  const bytes = await buffer(stream);
  try {
    return manifestSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
}
