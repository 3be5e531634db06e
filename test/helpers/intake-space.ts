import { createKinds } from '../../src/kinds/kinds.ts';
import type { ReadRecord } from '../../src/record/read-record.ts';
import { checkQuota } from '../../src/record/quota.ts';
import { Backlog } from '../../src/queue/backlog.ts';
import { Admission, type QueueBounds } from '../../src/intake/admission.ts';
import type { IntakeParts } from '../../src/intake/incoming-upload.ts';
import type { IntakeSettings } from '../../src/intake/intake.ts';
import { openCaller } from '../../src/access/caller.ts';
import type { RequestScope } from '../../src/http/request-scope.ts';
import { readReceived, type ReceivedUpload } from '../../src/intake/read-received.ts';
import { NO_SPAN } from '../../src/telemetry/tracing.ts';
import { overriding } from './overriding.ts';
import { openRecordSpace, silentLog, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';
import { openTempStorage, type TempStorage } from './temp-storage.ts';
import { useSpace } from './use-space.ts';

/** The parts of an intake: records on a real Redis, files in a directory, and a list instead of the queue. */
export interface IntakeSpace extends RecordSpace, TempStorage {
  readonly parts: IntakeParts;
  /** Ids of the uploads that were queued. */
  readonly queued: string[];
  /** Kinds of the permits that were added. */
  readonly permits: string[];
}

/** The client address of all requests of a test. */
export const ADDRESS = '192.0.2.1';

/** The request scope of a test. */
export const SCOPE: RequestScope = {
  id: 'request-1',
  address: ADDRESS,
  caller: openCaller,
  log: silentLog,
  span: NO_SPAN,
};

/** Opens the parts. The caller closes them. */
export async function openIntakeSpace(redisUrl: string, bounds: Partial<QueueBounds> = {}): Promise<IntakeSpace> {
  const [records, files] = await Promise.all([openRecordSpace(redisUrl), openTempStorage()]);
  const queued: string[] = [];
  const permits: string[] = [];
  const queue = { add: async (kind: string) => void permits.push(kind) };
  const admission = new Admission({
    bounds: { capacity: 1000, overflow: 'reject', capacityPerAddress: 0, ...bounds },
    backlog: new Backlog(records.store, records.keys),
    checkQuota: (owner, receivedBytes) => checkQuota(records, owner, receivedBytes),
    onRejected: () => undefined,
    onDiscarded: () => undefined,
  });
  return {
    ...records,
    ...files,
    queued,
    permits,
    parts: {
      records: overriding(records.records, {
        async enqueue(id, ...more) {
          const outcome = await records.records.enqueue(id, ...more);
          if (outcome.applied) queued.push(id);
          return outcome;
        },
      }),
      storage: files.storage,
      kinds: createKinds(),
      queue,
      admission,
      listen: () => () => undefined,
    },
    async close() {
      await records.close();
      await files.remove();
    },
  };
}

/** Opens the parts on the shared Redis for each test, or for the file. See `useSpace`. */
export function useIntake(per: 'test' | 'file', use: (space: IntakeSpace) => void): void {
  useSpace(per, async () => await openIntakeSpace(await sharedRedis()), use);
}

/** Limits that small files stay below. No body stalls, however slow the machine is. */
export const INTAKE_SETTINGS: IntakeSettings = {
  maxFiles: 9,
  maxFields: 9,
  maxFieldBytes: 100,
  maxFileBytes: 100_000,
  maxRequestBytes: 200_000,
  stallTimeoutMs: 600_000,
  minBytesPerS: 0,
  maxOpen: 0,
  maxOpenPerAddress: 0,
};

/** Reads the uploads as a client receives them at once. */
export async function readsOf(
  { records }: Pick<IntakeParts, 'records'>,
  received: readonly ReceivedUpload[],
): Promise<ReadRecord[]> {
  return await Promise.all(received.map((upload) => readReceived(records, upload)));
}
