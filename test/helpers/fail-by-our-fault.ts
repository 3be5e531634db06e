import { problemOf } from '../../src/errors.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { closeConnection, openWaitingConnection, RedisRecordStore } from '../../src/queue/connection.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { applied, silentLog } from './record-space.ts';
import type { Service } from './service.ts';

/** Fails a queued upload of the installation with this prefix, as a worker does at the last attempt. */
export async function failByOurFault({ redis }: Pick<Service, 'redis'>, prefix: string, id: string): Promise<void> {
  const connection = openWaitingConnection(redis.url, silentLog);
  const records = new UploadRecords(new RedisRecordStore(connection), queueKeys(prefix), { retentionMs: 60_000 });
  try {
    const attempt = applied(await records.begin(id)).record?.attempt;
    applied(await records.fail(id, attempt, problemOf('processing_failed', 'Processing failed.', id)));
  } finally {
    await closeConnection(connection);
  }
}
