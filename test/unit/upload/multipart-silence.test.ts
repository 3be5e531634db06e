import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { UploadRecords } from '../../../src/progress/record.ts';
import { UploadSets } from '../../../src/queue/upload-sets.ts';
import { receiveMultipart } from '../../../src/upload/multipart-intake.ts';
import { lookAfterDue } from '../../../workers/sweep/due-uploads.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../../helpers/redis-server.ts';
import { fakeRequest, FORM_HEADERS, formBody } from './fake-request.ts';
import { jpegBytes, openIntakeSpace, type IntakeSpace } from './intake-space.ts';

let redis: RedisServer;
let space: IntakeSpace;

beforeAll(async () => {
  redis = await startRedisServer();
  space = await openIntakeSpace(redis.url);
});
afterAll(async () => {
  await space.close();
  await redis.stop();
});

test('a file that is complete is not given up for dead while its siblings are still coming in', async () => {
  const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 600 });
  const limits = { maxFiles: 2, maxFields: 1, maxFieldBytes: 9, maxRequestBytes: 1_000_000, maxFileBytes: 100_000 };
  const { request, send, end } = fakeRequest(FORM_HEADERS);
  const taking = receiveMultipart({ ...space.parts, records }, request, limits, new AbortController().signal);
  const body = formBody({ name: 'f', fileName: '1.jpg', bytes: jpegBytes() }, { name: 'f', fileName: '2.jpg', bytes: jpegBytes(50_000) });
  send(body.subarray(0, -1000));
  while (space.files().length < 3) await turn();
  const [, firstDue = '0'] = (await space.connection.call('ZRANGE', [space.keys.due, '0', '0', 'WITHSCORES'])) as string[];
  while (Date.now() <= Number(firstDue)) await new Promise((resolve) => setTimeout(resolve, 20));
  const sets = new UploadSets(space.connection, space.keys);
  await lookAfterDue({ records, sets, queue: space.parts.queue, storage: space.storage, log: silentLog }, new AbortController().signal);
  send(body.subarray(-1000));
  end();
  expect((await taking).map(({ fileName, state }) => [fileName, state])).toEqual([['1.jpg', 'queued'], ['2.jpg', 'queued']]);
});
