import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { PublicAddresses } from '../../../../src/http/public-address.ts';
import { closeConnection, openWaitingConnection } from '../../../../src/queue/connection.ts';
import { IMPORT_QUEUE_NAME } from '../../../../src/queue/contract.ts';
import { ImportIntake } from '../../../../src/roads/import/import-intake.ts';
import { ImportQueue } from '../../../../src/roads/import/import-queue.ts';
import { ImportWorker } from '../../../../workers/roads/import-worker.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { jpegBytes } from '../../../helpers/fake-request.ts';
import { useIntake, SCOPE, type IntakeSpace } from '../../../helpers/intake-space.ts';
import { listen } from '../../../helpers/listen.ts';
import { patienceMs } from '../../../helpers/patience.ts';
import { silentLog } from '../../../helpers/record-space.ts';
import { sharedRedis } from '../../../helpers/shared-redis.ts';

let space: IntakeSpace;
useIntake('file', (opened) => (space = opened));

test('the lock of an import is renewed while its file is fetched, so the file is fetched only once', async () => {
  const requests: (() => void)[] = [];
  const server = createServer((_, response) => {
    response.write(jpegBytes());
    requests.push(() => void response.end());
  });
  const url = `http://127.0.0.1:${await listen(server)}/harbour.jpg`;
  const connection = openWaitingConnection(await sharedRedis(), silentLog);
  const shared = { ...space.parts, keys: space.keys, addresses: new PublicAddresses(['127.0.0.1']), log: silentLog };
  const queue = new ImportQueue(connection, space.keys, silentLog);
  const longMs = patienceMs(60_000);
  const limits = { maxFileBytes: 100_000, stallMs: longMs, timeoutMs: longMs, lockMs: patienceMs(4_000) };
  const worker = new ImportWorker({ ...shared, connection, ...limits });
  try {
    const { id } = await new ImportIntake({ ...shared, queue, isOpenToAll: true }).create(SCOPE, { url });
    await eventually('the request', () => requests.length > 0);
    const lock = `${space.keys.bullPrefix}:${IMPORT_QUEUE_NAME}:${id}:lock`;
    let leftMs = await connection.pttl(lock);
    await eventually('the lock to be renewed', async () => {
      const beforeMs = leftMs;
      leftMs = await connection.pttl(lock);
      return leftMs > beforeMs;
    });
    for (const end of requests) end();
    const record = await eventually('the file to be stored', async () => {
      const read = await space.records.read(id);
      return read?.record.stored === true && read.record;
    });
    expect([record.state, requests.length]).toEqual(['queued', 1]);
  } finally {
    await worker.close(0);
    await queue.close();
    await closeConnection(connection);
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
});
