import { createKinds } from '../../src/kinds/kinds.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { visitDirect, type Visit } from '../../src/roads/direct/abandoned-direct.ts';
import { isDirect } from '../../src/roads/direct/part-plan.ts';
import type { Config } from '../../src/settings/config.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import type { ProcessorTable } from '../processors.ts';

/** What the visits need. */
export interface VisitParts {
  records: UploadRecords;
  storage: Storage;
  queue: Pick<UploadQueue, 'add'>;
  log: Logger;
}

/** Handles a receiving upload that is due. Undefined if its bytes come in requests to an API process. */
export type VisitSilent = (record: UploadRecord, nowMs: number) => Promise<Visit | undefined>;

/** Returns the janitor's visit of uploads whose bytes do not come through an API process. */
export function silentVisitor(
  config: Pick<Config, 'uploadExpiryMs'> & Parameters<typeof createKinds>[0],
  parts: VisitParts,
  { accepted: kinds = createKinds(config) }: Pick<ProcessorTable, 'accepted'>,
): VisitSilent {
  return async (record, nowMs) => {
    const { direct } = parts.storage;
    if (!isDirect(record) || direct === undefined) return undefined;
    return await visitDirect({ ...parts, kinds, direct, expiryMs: config.uploadExpiryMs }, record, nowMs);
  };
}
