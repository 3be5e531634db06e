import { afterEach, describe, expect, test } from '@jest/globals';
import { Upload } from '@tus/server';
import { Readable } from 'node:stream';
import type { Caller, TenantLimits } from '../../../src/access/caller.ts';
import { UploadIntake } from '../../../src/intake/intake.ts';
import { TusStore } from '../../../src/roads/tus/tus-store.ts';
import {
  codeOf,
  fakeRequest,
  FORM_HEADERS,
  formBody,
  freshId,
  jpegBytes,
  wholeRequest,
  type FormPart,
} from '../../helpers/fake-request.ts';
import { INTAKE_SETTINGS, useIntake, readsOf, SCOPE, type IntakeSpace } from '../../helpers/intake-space.ts';
import { callerOf, sumOfRecords, useOf } from '../../helpers/tenant-use.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

const BYTES = jpegBytes();
const SIZE = BYTES.length;

let space: IntakeSpace;
let intake: UploadIntake;

afterEach(async () => {
  const { waiting, receiving, storedBytes } = await useOf(space, 'acme');
  expect({ waiting, receiving, storedBytes }).toEqual(await sumOfRecords(space, 'acme'));
});
useIntake('test', (opened) => {
  space = opened;
  intake = new UploadIntake(space.parts, INTAKE_SETTINGS);
});

const scopeOf = (limits: TenantLimits, more: Partial<Caller> = {}) => ({
  ...SCOPE,
  caller: callerOf('acme', limits, more),
});

async function put(limits: TenantLimits, id = freshId(), request = wholeRequest({}, BYTES)) {
  return await intake.receiveRaw(scopeOf(limits), request, { id, fileName: 'a.jpg', options: {} });
}

const photo = (name: string): FormPart => ({ name: 'file', fileName: name, bytes: BYTES });

async function form(limits: TenantLimits, names: readonly string[], more: Partial<Caller> = {}) {
  const request = wholeRequest(FORM_HEADERS, formBody(...names.map(photo)));
  const reads = await readsOf(space.parts, await intake.receiveForm(scopeOf(limits, more), request));
  return reads.map(({ record }) => ({ name: record.fileName, state: record.state, error: record.error }));
}

describe('a raw body over a limit', () => {
  test('is rejected before a byte of it is read, and makes no record', async () => {
    await put({});
    const { request } = fakeRequest({ 'content-length': String(SIZE) });
    const id = freshId();
    await expect(put({ waiting: 1 }, id, request)).rejects.toMatchObject({
      code: 'quota_exceeded',
      status: 429,
      limit: 'waiting',
      retryAfterMs: 10_000,
    });
    expect([request.readableDidRead, await space.records.read(id)]).toEqual([false, undefined]);
  });

  test('is rejected by its headers if they have the length, otherwise when all bytes are there', async () => {
    const limits = { storedBytes: SIZE - 1 };
    const announced = fakeRequest({ 'content-length': String(SIZE) }).request;
    await expect(put(limits, freshId(), announced)).rejects.toMatchObject({ limit: 'storedBytes' });
    const id = freshId();
    await expect(put(limits, id)).rejects.toMatchObject({ code: 'quota_exceeded', limit: 'storedBytes', id });
    expect((await space.records.read(id))?.record).toMatchObject({
      state: 'failed',
      error: { code: 'quota_exceeded', limit: 'storedBytes', final: true },
    });
    expect([space.files(), space.queued]).toEqual([[], []]);
  });

  test('is accepted if it is the same upload again', async () => {
    const id = freshId();
    await put({ waiting: 1 }, id);
    expect((await put({ waiting: 1 }, id)).id).toBe(id);
  });
});

describe('a form', () => {
  test('keeps its other files if one may not begin', async () => {
    expect(await form({ receiving: 2 }, ['1.jpg', '2.jpg', '3.jpg'])).toMatchObject([
      { name: '1.jpg', state: 'queued', error: null },
      { name: '2.jpg', state: 'queued', error: null },
      { name: '3.jpg', state: 'failed', error: { code: 'quota_exceeded', status: 429, limit: 'receiving' } },
    ]);
    expect(space.queued).toHaveLength(2);
  });

  test('keeps its other files if one finds no place in the end', async () => {
    expect(await form({ waiting: 1 }, ['1.jpg', '2.jpg'])).toMatchObject([
      { name: '1.jpg', state: 'queued', error: null },
      { name: '2.jpg', state: 'failed', error: { limit: 'waiting' } },
    ]);
    expect(space.files()).toHaveLength(2);
  });

  test('keeps the files that its ticket allows', async () => {
    const expiresAtMs = Date.now() + 60_000;
    const none = { maxFileBytes: undefined, types: undefined, preset: undefined, options: undefined };
    const ticket = { jti: 'one', expiresAtMs, maxFiles: 1, ...none };
    const more = { via: 'ticket', ticket } as const;
    expect(await form({}, ['1.jpg', '2.jpg'], more)).toMatchObject([
      { state: 'queued', error: null },
      { state: 'failed', error: { code: 'ticket_forbids', status: 403 } },
    ]);
    await expect(form({}, ['3.jpg'], more)).rejects.toMatchObject({ code: 'ticket_forbids', state: 'failed' });
  });

  test('is rejected before a byte of it is read if a limit is reached already', async () => {
    await put({});
    const { request } = fakeRequest(FORM_HEADERS);
    await expect(intake.receiveForm(scopeOf({ uploadsPerDay: 1 }), request)).rejects.toMatchObject({
      code: 'quota_exceeded',
      limit: 'uploadsPerDay',
    });
    expect(request.readableDidRead).toBe(false);
  });

  test('that breaks off frees all of its quotas', async () => {
    const ticket = { jti: 'two', expiresAtMs: Date.now() + 60_000, maxFiles: 1 } as NonNullable<Caller['ticket']>;
    const { request, send, breakOff } = fakeRequest(FORM_HEADERS);
    const broken = codeOf(intake.receiveForm(scopeOf({}, { via: 'ticket', ticket }), request));
    send(formBody(photo('1.jpg')).subarray(0, -100));
    await turnsUntil('a file', () => space.files().length > 0);
    breakOff();
    expect(await broken).toBe('upload_interrupted');
    expect(await form({ receiving: 1 }, ['1.jpg'], { via: 'ticket', ticket })).toMatchObject([{ state: 'queued' }]);
  });
});

describe('a resumable upload', () => {
  const store = (limits: TenantLimits) =>
    new TusStore(
      { ...space.parts, removal: { delete: async () => undefined }, maxFileBytes: 100_000, expiryMs: 60_000 },
      scopeOf(limits),
    );
  /** Later requests carry no ticket, so they know no limits. */
  const later = () =>
    new TusStore(
      { ...space.parts, removal: { delete: async () => undefined }, maxFileBytes: 100_000, expiryMs: 60_000 },
      SCOPE,
    );

  async function create(limits: TenantLimits, size?: number): Promise<string> {
    const id = freshId();
    const metadata = { filename: 'a.jpg' };
    await store(limits).create(new Upload({ id, offset: 0, metadata, ...(size === undefined ? {} : { size }) }));
    return id;
  }

  test('is not created over a limit', async () => {
    await expect(create({ storedBytes: SIZE - 1 }, SIZE)).rejects.toMatchObject({ limit: 'storedBytes' });
    expect(await space.connection.keys(space.keys.record('*'))).toEqual([]);
  });

  test('keeps its bytes if its tenant has no place in the end, and is queued when there is one', async () => {
    const limits = { waiting: 1 };
    const id = await create(limits, SIZE);
    const { id: other } = await put(limits);
    const sent = later().write(Readable.from([BYTES]), id, 0);
    await expect(sent).rejects.toMatchObject({ code: 'quota_exceeded', limit: 'waiting' });
    expect((await later().getUpload(id)).offset).toBe(SIZE - 1);
    await space.records.begin(other);
    expect((await later().getUpload(id)).offset).toBe(SIZE);
    expect((await space.records.read(id))?.record).toMatchObject({ state: 'queued', tenant: 'acme' });
  });

  test('that announces its size late is checked then', async () => {
    const id = await create({ storedBytes: SIZE });
    await expect(later().declareUploadLength(id, SIZE + 1)).rejects.toMatchObject({ limit: 'storedBytes' });
    await later().declareUploadLength(id, SIZE);
    await expect(create({ storedBytes: SIZE })).rejects.toMatchObject({ limit: 'storedBytes' });
  });
});
