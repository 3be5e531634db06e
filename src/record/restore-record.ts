import type { Manifest } from '../storage/manifest.ts';
import { storedArgs } from './open-record.ts';
import { ownershipJson } from './ownership.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import type { RecordChanger } from './record-change.ts';

/** Queues a receiving upload whose bytes are stored. See `UploadRecords.recover`. */
export async function recoverRecord(
  changer: RecordChanger,
  manifest: Manifest,
  version: number,
): Promise<ChangeOutcome> {
  const { id, fencingToken, name } = manifest;
  return await changer.enter('queued', ['receiving'], 'recover', id, [
    version,
    ...storedArgs(manifest),
    fencingToken,
    name,
    changer.kindOf(manifest.type),
  ]);
}

/** Rebuilds a record from its manifest. See `UploadRecords.restore`. */
export async function restoreRecord(changer: RecordChanger, manifest: Manifest): Promise<ChangeOutcome> {
  const { id, fencingToken, name, publicId, createdAt, sequence, owner, announcedSha256 } = manifest;
  const base = Math.floor(changer.nowMs() / 1000);
  return await changer.enter('queued', [], 'restore', id, [
    base,
    ...storedArgs(manifest),
    fencingToken,
    name,
    publicId,
    Date.parse(createdAt),
    sequence,
    owner && ownershipJson(owner),
    changer.kindOf(manifest.type),
    announcedSha256,
  ]);
}
