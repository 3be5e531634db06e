import { afterEach, describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { Upload } from '@tus/server';
import { Readable } from 'node:stream';
import { TusStore } from '../../../src/roads/tus/tus-store.ts';
import type { QueueBounds } from '../../../src/intake/admission.ts';
import { UploadIntake } from '../../../src/intake/intake.ts';
import { overriding } from '../../helpers/overriding.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import {
  codeOf,
  fakeRequest,
  FORM_HEADERS,
  formBody,
  type FormPart,
  freshId,
  jpegBytes,
  wholeRequest,
} from '../../helpers/fake-request.ts';
import { INTAKE_SETTINGS, type IntakeSpace, openIntakeSpace, readsOf, SCOPE } from '../../helpers/intake-space.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

const BYTES = jpegBytes();
const SIZE = BYTES.length;

let space: IntakeSpace;
let intake: UploadIntake;

afterEach(async () => {
  await space.close();
});

/** Opens an intake in front of a queue with these bounds. */
async function open(bounds: Partial<QueueBounds>): Promise<void> {
  space = await openIntakeSpace(await sharedRedis(), bounds);
  intake = intakeOver(space.parts);
}

function intakeOver(parts: IntakeSpace['parts']): UploadIntake {
  return new UploadIntake(parts, INTAKE_SETTINGS);
}

async function put(id = freshId(), request = wholeRequest({}, BYTES)) {
  const [read] = await readsOf(space.parts, [
    await intake.receiveRaw(SCOPE, request, { id, fileName: 'a.jpg', options: {} }),
  ]);
  if (read === undefined) throw new Error('nothing was read');
  return read.record;
}

const photo = (name: string): FormPart => ({ name: 'file', fileName: name, bytes: BYTES });

async function recordOf(id: string) {
  return (await space.records.read(id))?.record;
}

async function received(request: IncomingMessage) {
  return await readsOf(space.parts, await intake.receiveForm(SCOPE, request));
}

describe('a queue that is full from the start', () => {
  test('rejects a raw body before a byte of it is read, and makes no record', async () => {
    await open({ capacity: 1 });
    await put();
    const { request } = fakeRequest({ 'content-length': '6000' });
    const id = freshId();
    await expect(put(id, request)).rejects.toMatchObject({
      code: 'queue_full',
      status: 503,
      retryAfterMs: 10_000,
      state: undefined,
    });
    expect([
      request.readableDidRead,
      await recordOf(id),
      intake.receiving,
      space.queued.length,
      space.files().length,
    ]).toEqual([false, undefined, 0, 1, 2]);
  });

  test('rejects a form before a byte of it is read', async () => {
    await open({ capacity: 1 });
    await put();
    const { request } = fakeRequest(FORM_HEADERS);
    expect(await codeOf(intake.receiveForm(SCOPE, request))).toBe('queue_full');
    expect([
      request.readableDidRead,
      intake.receiving,
      (await space.connection.keys(space.keys.record('*'))).length,
    ]).toEqual([false, 0, 1]);
  });

  test('rejects the creation of a resumable upload', async () => {
    await open({ capacity: 1 });
    await put();
    const id = freshId();
    expect(await codeOf(tusStore().create(new Upload({ id, offset: 0, size: SIZE, metadata: {} })))).toBe('queue_full');
    expect(await recordOf(id)).toBeUndefined();
  });

  test('still answers a client that sends a stored upload again', async () => {
    await open({ capacity: 1 });
    const id = freshId();
    const first = await put(id);
    expect(await put(id)).toEqual(first);
    expect(await codeOf(put(id, wholeRequest({}, jpegBytes(6000, 2))))).toBe('upload_conflict');
  });

  test('accepts an upload again when another one has left', async () => {
    await open({ capacity: 1 });
    const first = await put();
    const id = freshId();
    expect(await codeOf(put(id))).toBe('queue_full');
    await space.records.begin(first.id);
    expect(await put(id)).toMatchObject({ state: 'queued' });
  });

  test('with a limit for each address rejects uploads over this limit', async () => {
    await open({ capacityPerAddress: 1 });
    await put();
    await expect(put()).rejects.toMatchObject({
      code: 'too_many_queued_by_address',
      status: 429,
      retryAfterMs: 10_000,
    });
    expect(await codeOf(intake.receiveForm(SCOPE, fakeRequest(FORM_HEADERS).request))).toBe(
      'too_many_queued_by_address',
    );
  });
});

describe('a queue that fills up while a body is received', () => {
  test('rejects the upload: its record has the reason, its bytes are removed, and it may be sent again', async () => {
    await open({ capacity: 1 });
    const id = freshId();
    const { request, send, end } = fakeRequest();
    const refused = expect(put(id, request)).rejects.toMatchObject({
      code: 'queue_full',
      id,
      state: 'failed',
      retryAfterMs: 10_000,
    });
    send(BYTES.subarray(0, 5000));
    await turnsUntil('a file', () => space.files().length > 0);
    await put();
    send(BYTES.subarray(5000));
    end();
    await refused;
    expect(await recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'queue_full', status: 503, state: 'failed', final: true },
    });
    expect([space.files().filter((path) => path.includes(id)), space.queued.length]).toEqual([[], 1]);
    const [waiting = ''] = await space.connection.zrange(space.keys.waiting, '0', '-1');
    await space.records.begin(waiting);
    expect(await put(id)).toMatchObject({ state: 'queued', error: null });
  });

  test('rejects the files of a form that find no place, and keeps the others', async () => {
    await open({ capacity: 2 });
    const reads = await received(
      wholeRequest(
        FORM_HEADERS,
        formBody(photo('1.jpg'), { name: 'f', fileName: '2.jpg', bytes: 'words' }, photo('3.jpg'), photo('4.jpg')),
      ),
    );
    const records = reads.map(({ record }) => record);
    expect(records.map(({ fileName, state, error }) => [fileName, state, error?.code])).toEqual([
      ['1.jpg', 'queued', undefined],
      ['2.jpg', 'failed', 'unsupported_media_type'],
      ['3.jpg', 'queued', undefined],
      ['4.jpg', 'failed', 'queue_full'],
    ]);
    expect(space.queued).toEqual([records[0]?.id, records[2]?.id]);
    expect(space.files()).toHaveLength(4);
  });

  test('answers with the first problem and Retry-After if no file of a form finds a place', async () => {
    await open({ capacity: 1 });
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const refused = expect(intake.receiveForm(SCOPE, request)).rejects.toMatchObject({
      code: 'queue_full',
      state: 'failed',
      retryAfterMs: 10_000,
      id: expect.any(String) as unknown,
    });
    const body = formBody(photo('1.jpg'), photo('2.jpg'));
    send(body.subarray(0, -10));
    await turnsUntil('a file', () => space.files().length > 0);
    await put();
    send(body.subarray(-10));
    end();
    await refused;
    expect([space.files().length, space.queued.length]).toEqual([2, 1]);
  });
});

describe('a queue that discards its oldest', () => {
  test('accepts the upload, and removes the files of the discarded one, whose permit serves the new one', async () => {
    await open({ capacity: 1, overflow: 'discard-oldest' });
    const first = await put();
    const second = await put();
    expect([await recordOf(first.id), second]).toMatchObject([{ state: 'discarded' }, { state: 'queued' }]);
    expect([space.queued, space.files().filter((path) => path.includes(first.id)), space.files().length]).toEqual([
      [first.id, second.id],
      [],
      2,
    ]);
    expect(await put(first.id)).toMatchObject({ state: 'queued', error: null });
    expect([space.permits.length, (await recordOf(second.id))?.state]).toEqual([1, 'discarded']);
  });

  test('returns as discarded a file that a later file of the same form has evicted', async () => {
    await open({ capacity: 1, overflow: 'discard-oldest' });
    const reads = await received(wholeRequest(FORM_HEADERS, formBody(photo('1.jpg'), photo('2.jpg'))));
    expect(reads.map(({ record, queuePosition }) => [record.fileName, record.state, queuePosition])).toEqual([
      ['1.jpg', 'discarded', null],
      ['2.jpg', 'queued', 1],
    ]);
  });

  test('accepts the upload even if the files of the discarded one cannot be removed now', async () => {
    await open({ capacity: 1, overflow: 'discard-oldest' });
    await put();
    const storage = overriding(space.storage, {
      list: () => {
        throw new Error('the disk is busy');
      },
    });
    intake = intakeOver({ ...space.parts, storage });
    expect(await put()).toMatchObject({ state: 'queued' });
  });

  test('counts the discarded upload in the metrics', async () => {
    await open({ capacity: 1, overflow: 'discard-oldest' });
    let discarded = 0;
    const admission = overriding(space.parts.admission, { discarded: () => void discarded++ });
    intake = intakeOver({ ...space.parts, admission });
    for (let upload = 0; upload < 3; upload++) await put();
    expect(discarded).toBe(2);
  });
});

function tusStore(): TusStore {
  const removal = { delete: async () => undefined };
  return new TusStore({ ...space.parts, removal, maxFileBytes: 100_000, expiryMs: 60_000 }, SCOPE);
}

describe('a resumable upload whose last byte finds the queue full', () => {
  async function created(size: number | null = SIZE): Promise<string> {
    const id = freshId();
    await tusStore().create(
      new Upload({ id, offset: 0, metadata: { filename: 'a.jpg' }, ...(size === null ? {} : { size }) }),
    );
    return id;
  }

  async function send(id: string, from: number, to = SIZE): Promise<number> {
    return await tusStore().write(Readable.from([BYTES.subarray(from, to)]), id, from);
  }

  test('gets a Retry-After, keeps its bytes, and is queued by its last byte when there is a place', async () => {
    await open({ capacity: 1 });
    const id = await created();
    const other = await put();
    await expect(send(id, 0)).rejects.toMatchObject({ code: 'queue_full', retryAfterMs: 10_000 });
    const kept = space.files();
    expect(await recordOf(id)).toMatchObject({ state: 'receiving', receivedBytes: SIZE });
    for (let asked = 0; asked < 2; asked++) {
      // A client that reads the full offset would consider the upload queued.
      expect((await tusStore().getUpload(id)).offset).toBe(SIZE - 1);
      expect(await codeOf(send(id, SIZE - 1))).toBe('queue_full');
    }
    expect(space.files()).toEqual(kept);
    await space.records.begin(other.id);
    expect(await send(id, SIZE - 1)).toBe(SIZE);
    expect(await recordOf(id)).toMatchObject({ state: 'queued', receivedBytes: SIZE });
    expect((await tusStore().getUpload(id)).offset).toBe(SIZE);
    expect([space.queued, space.files().filter((path) => path.includes(id)).length]).toEqual([[other.id, id], 2]);
  });

  test('is also queued if its client only asks for the offset', async () => {
    await open({ capacity: 1 });
    const id = await created();
    const other = await put();
    expect(await codeOf(send(id, 0))).toBe('queue_full');
    await space.records.begin(other.id);
    expect((await tusStore().getUpload(id)).offset).toBe(SIZE);
    expect(await recordOf(id)).toMatchObject({ state: 'queued' });
  });

  test('is also rejected and queued later if it announces its size only at the end', async () => {
    await open({ capacity: 1 });
    const id = await created(null);
    const other = await put();
    await send(id, 0);
    await tusStore().declareUploadLength(id, SIZE);
    expect(await codeOf(send(id, SIZE))).toBe('queue_full');
    expect((await tusStore().getUpload(id)).offset).toBe(SIZE - 1);
    await space.records.begin(other.id);
    expect(await send(id, SIZE - 1)).toBe(SIZE);
    expect(await recordOf(id)).toMatchObject({ state: 'queued' });
  });

  test('is not queued by a request without bytes while the queue is full', async () => {
    await open({ capacity: 1 });
    const id = await created();
    await put();
    expect(await codeOf(send(id, 0))).toBe('queue_full');
    expect(await send(id, SIZE - 1, SIZE - 1)).toBe(SIZE - 1);
    expect(await recordOf(id)).toMatchObject({ state: 'receiving' });
  });

  test('evicts the oldest if the queue is set to discard', async () => {
    await open({ capacity: 1, overflow: 'discard-oldest' });
    const other = await put();
    const id = await created();
    expect(await send(id, 0)).toBe(SIZE);
    expect([await recordOf(id), await recordOf(other.id)]).toMatchObject([{ state: 'queued' }, { state: 'discarded' }]);
  });
});
