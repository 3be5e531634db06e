import { isUploadId } from '../http/parameters.ts';
import { available, type Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import type { UploadRecords } from '../record/record.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';
import type { FoundUpload, FoundUploads } from '../wire/documents.ts';

/** The sources that the search reads. */
export interface FindParts {
  connection: Pick<Redis, 'zrevrange' | 'hget'>;
  keys: Pick<QueueKeys, 'record' | 'records'>;
  records: Pick<UploadRecords, 'read'>;
}

/** Maximum number of uploads in one answer. */
const MOST_FOUND = 20;

/** A search compares the names of at most this many uploads, so that it does not keep Redis busy. */
const MOST_SCANNED = 20_000;
const SCANNED_AT_ONCE = 500;

const REF = /^[0-9a-f]{4,12}$/;

/**
 * Finds uploads by id, by the beginning of their hash as logs contain it, or by a part of their name. Open uploads come
 * first, then the others by their expiry, the latest first.
 */
export async function findUploads(parts: FindParts, text: string): Promise<FoundUploads> {
  const wanted = text.trim();
  if (isUploadId(wanted)) return { uploads: await readAll(parts, [wanted]), isComplete: true };
  const ids: string[] = [];
  let scanned = 0;
  for (; scanned < MOST_SCANNED && ids.length < MOST_FOUND; scanned += SCANNED_AT_ONCE) {
    const members = await available(() =>
      parts.connection.zrevrange(parts.keys.records, scanned, scanned + SCANNED_AT_ONCE - 1),
    );
    ids.push(...(await matching(parts, members, wanted)));
    if (members.length < SCANNED_AT_ONCE)
      return { uploads: await readAll(parts, ids.slice(0, MOST_FOUND)), isComplete: ids.length <= MOST_FOUND };
  }
  return { uploads: await readAll(parts, ids.slice(0, MOST_FOUND)), isComplete: false };
}

/** Returns the ids of matching uploads. A member is an id and the owner of the record. */
async function matching(parts: FindParts, members: readonly string[], wanted: string): Promise<string[]> {
  const ids = members.map((member) => member.split(' ', 1)[0] ?? '');
  const ofRef = REF.test(wanted) ? ids.filter((id) => uploadRef(id).startsWith(wanted)) : [];
  const names = await available(() =>
    Promise.all(ids.map((id) => parts.connection.hget(parts.keys.record(id), 'name'))),
  );
  const lower = wanted.toLowerCase();
  const ofName = ids.filter((_, index) => names[index]?.toLowerCase().includes(lower) === true);
  return [...new Set([...ofRef, ...ofName])];
}

async function readAll({ records }: FindParts, ids: readonly string[]): Promise<FoundUpload[]> {
  const reads = await Promise.all(ids.map((id) => records.read(id)));
  return reads.flatMap((read) => (read === undefined || read.record.deleted ? [] : [toFoundUpload(read.record)]));
}

/** Leaves out the id and the public id, because they give access to the upload. */
function toFoundUpload(record: UploadRecord): FoundUpload {
  const { id, fileName, type, receivedBytes, state, stage, percent, attempt, attemptBase, tenant, error } = record;
  return {
    ref: uploadRef(id),
    name: fileName,
    type,
    size: receivedBytes,
    state,
    stage,
    percent,
    attempts: attempt - attemptBase,
    tenant,
    error: error === null ? null : { code: error.code, detail: error.detail },
    createdAt: new Date(record.createdAtMs).toISOString(),
    updatedAt: new Date(record.updatedAtMs).toISOString(),
    expiresAt: record.expiresAtMs === null ? null : new Date(record.expiresAtMs).toISOString(),
  };
}
