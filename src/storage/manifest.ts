import { buffer } from 'node:stream/consumers';
import { isManifestKey, manifestKey, originalKey, partOffset, uploadPrefix } from './keys.ts';
import { z } from 'zod';
import type { JsonObject } from '../access/caller.ts';
import type { UploadState } from '../wire/documents.ts';
import type { SmallObject, Storage } from './storage.ts';

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const manifestSchema = z.object({
  id: z.uuidv4(),
  publicId: z.string().min(1),
  /** The fencing token, under the name that it has in storage since the first version. */
  receipt: z.string().min(1),
  name: z.string(),
  type: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** The digest that the sender has announced, until a worker has checked it. */
  announcedSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
  options: z.unknown(),
  createdAt: z.iso.datetime(),
  /**
   * A version that the record had under the fencing token, before it was queued. The later of two manifests of one
   * record has the greater one.
   */
  sequence: z.number().int().nonnegative().optional(),
  /** Absent in open mode, and in manifests of versions of the service without tenants. */
  owner: z
    .object({
      tenant: z.string().min(1),
      lane: z.enum(['live', 'batch']),
      weight: z.number().positive(),
      hooks: z.boolean().exactOptional(),
      metadata: z.custom<JsonObject>(isObject).exactOptional(),
    })
    .exactOptional(),
});

/** Everything that is needed to restore the record and the job of a stored upload. */
export type Manifest = Omit<z.infer<typeof manifestSchema>, 'receipt'> & { fencingToken: string };

/**
 * Returns the manifest as an object. It must not become visible before the bytes are durable: it proves that they are
 * complete.
 */
export function manifestObject(manifest: Manifest): SmallObject {
  const { fencingToken, ...rest } = manifest;
  const stored: z.infer<typeof manifestSchema> = { ...rest, receipt: fencingToken };
  return { key: manifestKey(manifest.id, fencingToken), bytes: Buffer.from(JSON.stringify(stored)) };
}

/** Undefined if the manifest is missing or damaged. The upload cannot be restored then. */
export async function readManifest(storage: Pick<Storage, 'read'>, key: string): Promise<Manifest | undefined> {
  const stream = await storage.read(key);
  if (stream === undefined) return undefined;
  const bytes = await buffer(stream);
  try {
    const { receipt: fencingToken, ...rest } = manifestSchema.parse(JSON.parse(bytes.toString()));
    return { ...rest, fencingToken };
  } catch {
    return undefined;
  }
}

/**
 * Returns the manifest of the last request, if several requests with one id have left one each. A record that was
 * created again, because Redis had lost the earlier one, has a later `createdAt`. Within one record the sequence
 * decides. Manifests of earlier versions of the service have no sequence, so the time of their file decides.
 * `record` is what Redis has. Then only manifests count whose bytes exist, and which may be queued in its place.
 * Without a record one without bytes counts if there is no other, so that its client learns of the loss.
 */
export async function newestManifest(
  storage: Pick<Storage, 'list' | 'read'>,
  id: string,
  record?: KnownUpload,
): Promise<Manifest | undefined> {
  const listed = new Map<string, Date>();
  for await (const { key, modifiedAt } of storage.list(uploadPrefix(id))) listed.set(key, modifiedAt);
  const hasParts = [...listed.keys()].some((key) => partOffset(key) !== undefined);
  let newest: Dated | undefined;
  for (const [key, modifiedAt] of listed) {
    if (!isManifestKey(key)) continue;
    const manifest = await readManifest(storage, key);
    if (manifest === undefined || manifest.id !== id) continue;
    const hasBytes = hasParts || listed.has(originalKey(id, manifest.fencingToken));
    if (record !== undefined && !(hasBytes && mayQueue(manifest, record))) continue;
    const dated = { manifest, modifiedAtMs: modifiedAt.getTime(), hasBytes };
    if (newest === undefined || isLater(dated, newest)) newest = dated;
  }
  return newest?.manifest;
}

/** The fields of a record that tell whether it knows the upload of a manifest. */
interface KnownUpload {
  createdAtMs: number;
  updatedAtMs: number;
  state: UploadState;
  stored: boolean;
  fencingToken: string;
  version: number;
  lifeVersion: number | null;
  fencedTokens: readonly string[];
}

/**
 * True if Redis may have lost the upload of the manifest, so that its files must stay. A request leaves its manifest
 * only if it was accepted or could not know that. So an upload without stored bytes, receiving or failed, does not
 * replace another request of its life. Any other record has lost only what began after its last change. False for
 * manifests without a sequence. `restore.lua` has the same rule for ended uploads.
 */
export function isLost({ createdAt, sequence, fencingToken }: Manifest, record: KnownUpload): boolean {
  if (sequence === undefined || record.fencedTokens.includes(fencingToken)) return false;
  const createdAtMs = Date.parse(createdAt);
  const isUnstored = !record.stored && (record.state === 'receiving' || record.state === 'failed');
  if (record.createdAtMs !== createdAtMs) return isUnstored || record.updatedAtMs < createdAtMs;
  const isOther = isUnstored && record.fencingToken !== fencingToken;
  return sequence >= ((isOther ? record.lifeVersion : null) ?? record.version + 1);
}

/** True if the upload of the manifest may be queued: `record` is receiving in the same life, or Redis has lost it. */
function mayQueue(manifest: Manifest, record: KnownUpload): boolean {
  if (record.state !== 'receiving') return isLost(manifest, record);
  const { createdAt, sequence, fencingToken } = manifest;
  if (record.fencedTokens.includes(fencingToken)) return false;
  const isOfRecord = Date.parse(createdAt) === record.createdAtMs;
  return !isOfRecord || sequence === undefined || sequence >= (record.lifeVersion ?? 0);
}

interface Dated {
  manifest: Manifest;
  modifiedAtMs: number;
  hasBytes: boolean;
}

function isLater(one: Dated, other: Dated): boolean {
  if (one.hasBytes !== other.hasBytes) return one.hasBytes;
  const [created, otherCreated] = [Date.parse(one.manifest.createdAt), Date.parse(other.manifest.createdAt)];
  if (created !== otherCreated) return created > otherCreated;
  const [sequence, otherSequence] = [one.manifest.sequence ?? -1, other.manifest.sequence ?? -1];
  if (sequence !== otherSequence) return sequence > otherSequence;
  return one.modifiedAtMs > other.modifiedAtMs;
}

/** Removes the manifest and the bytes that a request has stored, in this order. */
export async function removeStored(storage: Pick<Storage, 'remove'>, id: string, fencingToken: string): Promise<void> {
  await storage.remove(manifestKey(id, fencingToken));
  await storage.remove(originalKey(id, fencingToken));
}
