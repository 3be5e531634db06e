import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { UploadRecords } from '../../../src/record/record.ts';
import { UploadSets } from '../../../src/queue/upload-sets.ts';
import { receiveMultipart } from '../../../src/intake/multipart-intake.ts';
import { lookAfterDue } from '../../../workers/janitor/due-uploads.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import { fakeRequest, FORM_HEADERS, formBody, jpegBytes } from '../../helpers/fake-request.ts';
import { type IntakeSpace, openIntakeSpace, readsOf } from '../../helpers/intake-space.ts';

let space: IntakeSpace;

beforeEach(async () => {
  space = await openIntakeSpace(await sharedRedis());
});
afterEach(async () => {
  await space.close();
});

const SILENCE_MS = 600;

/**
 * Sends a form of two files, the second of which takes longer than a sender may be silent, and lets the sweep
 * look meanwhile.
 */
async function sendSlowly(first: Buffer) {
  const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: SILENCE_MS });
  const limits = { maxFiles: 2, maxFields: 1, maxFieldBytes: 9, maxRequestBytes: 1_000_000, maxFileBytes: 100_000 };
  const { request, send, end } = fakeRequest(FORM_HEADERS);
  const taking = receiveMultipart({ ...space.parts, records }, request, limits, new AbortController().signal);
  const body = formBody(
    { name: 'f', fileName: '1.jpg', bytes: first },
    { name: 'f', fileName: '2.jpg', bytes: jpegBytes(50_000) },
  );
  const sent = space.files().length;
  send(body.subarray(0, -1000));
  while (space.files().length === sent || (await space.connection.zcard(space.keys.due)) < 2) await turn();
  const firstDueMs = await dueMs('2.jpg');
  // The second file is still coming in: the chunk that keeps it alive is the last but one.
  while (Date.now() <= firstDueMs) await pause(20);
  send(body.subarray(-1000, -900));
  while ((await dueMs('2.jpg')) < Date.now()) await pause(5);
  const sets = new UploadSets(space.connection, space.keys);
  await lookAfterDue(
    { records, sets, queue: space.parts.queue, storage: space.storage, log: silentLog },
    new AbortController().signal,
  );
  send(body.subarray(-900));
  end();
  return (await readsOf(space.parts, await taking)).map(({ record: { fileName, state, error } }) => [
    fileName,
    state,
    error?.code,
  ]);
}

/** When the upload of this name is given up for dead. */
async function dueMs(fileName: string): Promise<number> {
  const ids = (await space.connection.call('ZRANGE', [space.keys.due, '0', '-1'])) as string[];
  const names = await Promise.all(ids.map((id) => space.connection.hget(space.keys.record(id), 'name')));
  return Number(await space.connection.zscore(space.keys.due, ids[names.indexOf(fileName)] ?? ''));
}

test('a file that is complete is not given up for dead while its siblings are still coming in', async () => {
  expect(await sendSlowly(jpegBytes())).toEqual([
    ['1.jpg', 'queued', undefined],
    ['2.jpg', 'queued', undefined],
  ]);
});

test('a file that was refused keeps its reason while its siblings are still coming in', async () => {
  expect(await sendSlowly(Buffer.from('only words'))).toEqual([
    ['1.jpg', 'failed', 'unsupported_media_type'],
    ['2.jpg', 'queued', undefined],
  ]);
});
