import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { MARKER_KEY } from './keys.ts';
import type { Storage } from './storage.ts';

/** Versions of the layout of files. A later one may not be readable by this service. */
const FORMAT = 1;

const markerSchema = z.object({
  service: z.literal('deferred-uploads'),
  format: z.literal(FORMAT),
  /** Random; kept in Redis too. */
  id: z.uuidv4(),
  /** Of the Redis keys of the installation that wrote it. */
  queuePrefix: z.string(),
  createdAt: z.iso.datetime(),
});

/** The object in the storage's root that says whose files these are. */
export type Marker = z.infer<typeof markerSchema>;

/** Undefined if there is none, `damaged` for one that this version cannot read. */
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

/** The bytes of a new marker. */
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
