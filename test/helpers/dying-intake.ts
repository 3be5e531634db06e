import { readFile } from 'node:fs/promises';
import { openCaller } from '../../src/access/caller.ts';
import { createKinds } from '../../src/kinds/kinds.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { NO_SPAN } from '../../src/telemetry/tracing.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { Backlog } from '../../src/queue/backlog.ts';
import { openWaitingConnection, RedisRecordStore } from '../../src/queue/connection.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { Admission } from '../../src/intake/admission.ts';
import { IncomingUpload } from '../../src/intake/incoming-upload.ts';

/**
 * A program with the arguments Redis URL, prefix, directory, file and id. It stores the file under the id. The queue
 * has a capacity of 1 and discards the oldest. The process is killed after the record is queued and before a job
 * changes.
 */
const [redisUrl = '', prefix = '', directory = '', path = '', id = ''] = process.argv.slice(2);
const log = createLog('api', { logLevel: 'silent' });
const keys = queueKeys(prefix);
const store = new RedisRecordStore(openWaitingConnection(redisUrl, log));
const die = async (): Promise<void> => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};
const admission = new Admission({
  bounds: { capacity: 1, overflow: 'discard-oldest', capacityPerAddress: 0 },
  backlog: new Backlog(store, keys),
  onRejected: () => undefined,
  onDiscarded: () => undefined,
});
const parts = {
  records: new UploadRecords(store, keys, { retentionMs: 60_000 }),
  storage: new LocalStorage(directory),
  kinds: createKinds(),
  queue: { add: die },
  listen: () => () => undefined,
  admission,
};
const scope = { id: 'request-1', address: '192.0.2.1', caller: openCaller, log, span: NO_SPAN };
const bytes = await readFile(path);
const outcome = await IncomingUpload.open(parts, scope, { id, fileName: 'a.jpg', totalBytes: bytes.length });
if (!('opened' in outcome)) throw new Error('the id is taken');
await outcome.opened.receive(
  (async function* () {
    yield bytes;
  })(),
  {},
  bytes.length,
);
await outcome.opened.enqueue();
