import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { MARKER_KEY } from './keys.ts';
import type { Storage } from './storage.ts';

/** The version of the file layout. This service reads only this one. */
const FORMAT = 1;

const markerSchema = z.object({
  service: z.literal('deferred-uploads'),
  format: z.literal(FORMAT),
  /** A random id. Redis has the same. */
  id: z.uuidv4(),
  /** The prefix of the Redis keys of the installation. */
  queuePrefix: z.string(),
  createdAt: z.iso.datetime(),
});

/** The object in the root of the storage that names the installation that owns the files. */
export type Marker = z.infer<typeof markerSchema>;

/** Returns the marker, undefined if it is missing, and `damaged` if this version cannot read it. */
export async function readMarker(storage: Pick<Storage, 'read'>): Promise<Marker | 'damaged' | undefined> {
  const stream = await storage.read(MARKER_KEY);
  if (stream === undefined) return undefined;
  const text = (await buffer(stream)).toString();
  try {
    return markerSchema.parse(JSON.parse(text));
  } catch {
    return 'damaged';
  }
}

/** Returns the bytes of a new marker. */
export function markerBytes(id: string, queuePrefix: string): Buffer {
  const marker: Marker = {
    service: 'deferred-uploads',
    format: FORMAT,
    id,
    queuePrefix,
    createdAt: new Date().toISOString(),
  };
  return Buffer.from(`${JSON.stringify(marker)}\n`);
}
