import { Outbox } from '../../src/delivery/outbox.ts';
import { closeConnection, openWaitingConnection } from '../../src/queue/connection.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { openRecordSpace, silentLog, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';

/** Records that report their ends, and the outbox that they report to. */
export interface OutboxSpace {
  readonly space: RecordSpace;
  readonly records: UploadRecords;
  readonly outbox: Outbox;
  close(): Promise<void>;
}

export async function openOutboxSpace(): Promise<OutboxSpace> {
  const space = await openRecordSpace(await sharedRedis());
  const reader = openWaitingConnection(await sharedRedis(), silentLog);
  return {
    space,
    records: new UploadRecords(space.store, space.keys, { retentionMs: 60_000, sendsWebhooks: () => true }),
    outbox: new Outbox(reader, space.connection, space.keys.outbox),
    close: async () => void (await Promise.all([closeConnection(reader), space.close()])),
  };
}
