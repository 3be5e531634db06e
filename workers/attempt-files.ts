import type { Logger } from '../src/telemetry/log.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import { attemptPrefix } from '../src/storage/keys.ts';
import type { RunnerParts } from './attempt.ts';

type FileParts = Pick<RunnerParts, 'records' | 'storage'>;

/**
 * Removes the files of an attempt that has failed. Errors are left to the janitor. If Redis has lost the beginning of
 * the attempt, another attempt may have the same number and the same paths, so nothing is removed.
 */
export async function removeAttemptFiles(
  { records, storage }: FileParts,
  { id, attempt }: Pick<UploadRecord, 'id' | 'attempt'>,
  log: Logger,
): Promise<void> {
  try {
    const record = (await records.read(id))?.record;
    const mayBeInUse =
      record?.attempt === attempt && (record.state === 'processing' || Object.keys(record.variants).length > 0);
    if (!mayBeInUse) await storage.removeAll(attemptPrefix(id, attempt));
  } catch (error) {
    log.warn({ err: error }, 'files of the attempt not removed');
  }
}

/**
 * Removes the files of earlier attempts that have died, also unfinished ones, unless the record names a variant of the
 * attempt. Call it when the upload is final.
 */
export async function removeDeadAttempts(
  parts: FileParts,
  { id, attempt, attemptBase, deaths }: UploadRecord,
  log: Logger,
): Promise<void> {
  if (deaths === 0) return;
  try {
    const variants = Object.values((await parts.records.read(id))?.record.variants ?? {});
    for (let earlier = attemptBase + 1; earlier < attempt; earlier += 1) {
      const isNamed = variants.some(({ key }) => key.startsWith(`${attemptPrefix(id, earlier)}/`));
      if (!isNamed) await removeAttemptFiles(parts, { id, attempt: earlier }, log);
    }
  } catch (error) {
    log.warn({ err: error }, 'files of earlier attempts not removed');
  }
}
