import { expect, test } from '@jest/globals';
import { UploadRecords } from '../../../src/record/record.ts';
import { UploadSets } from '../../../src/queue/upload-sets.ts';
import { receiveMultipart } from '../../../src/intake/multipart-intake.ts';
import { handleDueUploads } from '../../../workers/janitor/due-uploads.ts';
import { overriding } from '../../helpers/overriding.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { fakeRequest, FORM_HEADERS, formBody, jpegBytes } from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, readsOf, SCOPE } from '../../helpers/intake-space.ts';
import { eventually } from '../../helpers/eventually.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

/** The limit of silence. A complete file reports three times within it. */
const SILENCE_MS = 600;

/**
 * Sends a form of two files up to the middle of the second one. `finish` sends the rest and resolves with both
 * outcomes.
 */
async function untilTheSecond(first: Buffer) {
  const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: SILENCE_MS });
  const limits = { maxFiles: 2, maxFields: 1, maxFieldBytes: 9, maxRequestBytes: 1_000_000, maxFileBytes: 100_000 };
  const { request, send, end } = fakeRequest(FORM_HEADERS);
  const { signal } = new AbortController();
  const taking = receiveMultipart({ ...space.parts, records }, SCOPE, { request, limits, signal });
  const body = formBody(
    { name: 'f', fileName: '1.jpg', bytes: first },
    { name: 'f', fileName: '2.jpg', bytes: jpegBytes(50_000) },
  );
  send(body.subarray(0, -1000));
  await eventually('both files', async () => (await dueMs('1.jpg')) > 0 && (await dueMs('2.jpg')) > 0);
  const finish = async () => {
    send(body.subarray(-1000));
    end();
    const reads = await readsOf(space.parts, await taking);
    return reads.map(({ record: { fileName, state, error } }) => [fileName, state, error?.code]);
  };
  return { records, finish };
}

/** Returns the time at which the upload of this name is due next, or 0. */
async function dueMs(fileName: string): Promise<number> {
  const ids = (await space.connection.call('ZRANGE', [space.keys.due, '0', '-1'])) as string[];
  const names = await Promise.all(ids.map((id) => space.connection.hget(space.keys.record(id), 'name')));
  return Number(await space.connection.zscore(space.keys.due, ids[names.indexOf(fileName)] ?? ''));
}

test('the silence limit of a complete file is extended while the other files of the form arrive', async () => {
  const { finish } = await untilTheSecond(jpegBytes());
  await eventually('its bytes to be complete', () => space.files().some((path) => path.endsWith('.original')));
  for (let sign = 1; sign <= 3; sign += 1) {
    const beforeMs = await dueMs('1.jpg');
    await eventually('a sign of life', async () => (await dueMs('1.jpg')) > beforeMs);
  }
  expect(await finish()).toEqual([
    ['1.jpg', 'queued', undefined],
    ['2.jpg', 'queued', undefined],
  ]);
});

test('a rejected file keeps its reason while the other files of the form arrive', async () => {
  const { records, finish } = await untilTheSecond(Buffer.from('only words'));
  const ids = (await space.connection.call('ZRANGE', [space.keys.due, '0', '-1'])) as string[];
  const states = await Promise.all(ids.map((id) => space.connection.hget(space.keys.record(id), 'state')));
  const sets = overriding(new UploadSets(space.connection, space.keys), {
    due: async () => ({ nowMs: Date.now(), ids: ids.filter((_, index) => states[index] === 'failed') }),
  });
  expect(new Set(states)).toEqual(new Set(['failed', 'receiving']));
  await handleDueUploads(
    { records, sets, queue: { ...space.parts.queue, has: async () => true }, storage: space.storage, log: silentLog },
    new AbortController().signal,
  );
  expect(await finish()).toEqual([
    ['1.jpg', 'failed', 'unsupported_media_type'],
    ['2.jpg', 'queued', undefined],
  ]);
});
