import type { Manifest } from '../storage/manifest.ts';
import { queuedPercent } from './progress.ts';
import { restoredFields } from './queued-fields.ts';
import type { ChangeOutcome, RecordChanger } from './record-change.ts';

/** See `UploadRecords.recover`. */
export async function recoverUpload(
  changer: RecordChanger,
  manifest: Manifest,
  version: number,
): Promise<ChangeOutcome> {
  return await changer.change(manifest.id, {
    from: ['receiving'],
    version,
    percent: queuedPercent(),
    phase: true,
    fields: restoredFields(manifest),
  });
}

/** See `UploadRecords.restore`. */
export async function restoreUpload(changer: RecordChanger, manifest: Manifest): Promise<ChangeOutcome> {
  const { id, publicId } = manifest;
  const base = String(Math.floor(changer.nowMs() / 1000));
  return await changer.change(id, {
    from: [],
    create: {
      id,
      publicId,
      createdAt: String(Date.parse(manifest.createdAt)),
      version: base,
      attempt: base,
      attemptBase: base,
    },
    percent: queuedPercent(),
    phase: true,
    fields: restoredFields(manifest),
  });
}

/** See `UploadRecords.retry`. */
export async function retryUpload(changer: RecordChanger, id: string, version: number): Promise<ChangeOutcome> {
  return await changer.change(id, {
    from: ['failed'],
    version,
    phase: true,
    drop: ['error', 'expiresAt', 'faults', 'deaths'],
    fields: { state: 'queued', stage: 'queue' },
  });
}
