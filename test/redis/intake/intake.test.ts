import { describe, expect, jest, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { UploadIntake } from '../../../src/intake/intake.ts';
import {
  codeOf,
  fakeRequest,
  FORM_HEADERS,
  formBody,
  freshId,
  jpegBytes,
  wholeRequest,
} from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, SCOPE } from '../../helpers/intake-space.ts';
import { eventually } from '../../helpers/eventually.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

const BYTES = jpegBytes();
const BODY = formBody({ name: 'f', fileName: 'a.jpg', bytes: BYTES });

/** Opens an intake. With the default no body stalls, however slow the machine is. */
function openIntake(stallTimeoutMs = 600_000, minBytesPerS = 0): UploadIntake {
  const settings = {
    maxFiles: 2,
    maxFields: 2,
    maxFieldBytes: 100,
    maxFileBytes: 10_000,
    maxRequestBytes: 20_000,
    stallTimeoutMs,
    minBytesPerS,
  };
  return new UploadIntake(space.parts, { ...settings, maxOpen: 0, maxOpenPerAddress: 0 });
}

function head() {
  return { id: freshId(), fileName: 'a.jpg', options: {} };
}

describe('the announced length of a body', () => {
  test('above the limit rejects the body before a byte of it is read, and leaves no record', async () => {
    const intake = openIntake();
    const form = fakeRequest({ ...FORM_HEADERS, 'content-length': '20001' });
    const raw = fakeRequest({ 'content-length': '10001' });
    expect(await codeOf(intake.receiveForm(SCOPE, form.request))).toBe('request_too_large');
    expect(await codeOf(intake.receiveRaw(SCOPE, raw.request, head()))).toBe('file_too_large');
    expect([form.request.readableDidRead, raw.request.readableDidRead, intake.receiving]).toEqual([false, false, 0]);
    expect(await space.connection.keys(space.keys.record('*'))).toEqual([]);
  });

  test('may be exactly the limit, or missing', async () => {
    const intake = openIntake();
    expect(
      await intake.receiveForm(SCOPE, wholeRequest({ ...FORM_HEADERS, 'content-length': '20000' }, BODY)),
    ).toHaveLength(1);
    expect(await intake.receiveRaw(SCOPE, wholeRequest({ 'content-length': '10000' }, BYTES), head())).toMatchObject({
      known: { record: { totalBytes: 6000 } },
    });
    expect(await intake.receiveRaw(SCOPE, wholeRequest({}, BYTES), head())).toMatchObject({
      known: { record: { state: 'queued' } },
    });
  });
});

test('a raw body with an encoding is rejected, and one with the encoding identity is accepted', async () => {
  const intake = openIntake();
  expect(await codeOf(intake.receiveRaw(SCOPE, wholeRequest({ 'content-encoding': 'gzip' }, BYTES), head()))).toBe(
    'unsupported_encoding',
  );
  expect(await codeOf(intake.receiveRaw(SCOPE, wholeRequest({ 'content-encoding': 'identity' }, BYTES), head()))).toBe(
    'none',
  );
});

test('a part of a file is rejected, with advice how to send it', async () => {
  const receiving = openIntake().receiveRaw(
    SCOPE,
    wholeRequest({ 'content-range': 'bytes 0-9/6000' }, BYTES.subarray(0, 10)),
    head(),
  );
  await expect(receiving).rejects.toMatchObject({
    code: 'bad_request',
    message: expect.stringContaining('/files') as unknown,
  });
});

test('the total of a raw body is known from its first byte if its length is announced', async () => {
  const intake = openIntake();
  const id = freshId();
  const { request, send, end } = fakeRequest({ 'content-length': '6000' });
  const taking = intake.receiveRaw(SCOPE, request, { ...head(), id });
  send(BYTES);
  await eventually('the record', async () => (await space.records.read(id)) !== undefined);
  expect((await space.records.read(id))?.record.totalBytes).toBe(6000);
  end();
  await taking;
});

describe('a sender without bytes', () => {
  test('gets upload_too_slow for a form and for a raw body', async () => {
    const intake = openIntake(20);
    const form = fakeRequest(FORM_HEADERS);
    const raw = fakeRequest();
    const id = freshId();
    form.send(BODY.subarray(0, 100));
    raw.send(BYTES.subarray(0, 10));
    const codes = Promise.all([
      codeOf(intake.receiveForm(SCOPE, form.request)),
      codeOf(intake.receiveRaw(SCOPE, raw.request, { ...head(), id })),
    ]);
    expect(await codes).toEqual(['upload_too_slow', 'upload_too_slow']);
    expect((await space.records.read(id))?.record.error).toMatchObject({ code: 'upload_too_slow', status: 408 });
    expect([intake.receiving, space.files()]).toEqual([0, []]);
  });
});

test('a sender below the minimum rate gets upload_too_slow (408)', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  try {
    const { request } = fakeRequest();
    const state = { bytesRead: 0 };
    Object.defineProperty(request, 'socket', { value: state });
    request.resume();
    const receiving = openIntake(600_000, 1024).whileReceiving(SCOPE, request, async (signal) => {
      for (let second = 0; second < 120 && !signal.aborted; second += 1) {
        state.bytesRead += 1000;
        await jest.advanceTimersByTimeAsync(1000);
      }
      signal.throwIfAborted();
    });
    await expect(receiving).rejects.toMatchObject({ code: 'upload_too_slow', status: 408 });
  } finally {
    jest.useRealTimers();
  }
});

describe('drain', () => {
  test('resolves at once if nothing is being received', async () => {
    await openIntake().drain(60_000);
  });

  test('lets a running upload end', async () => {
    const intake = openIntake();
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const taking = intake.receiveForm(SCOPE, request);
    send(BODY.subarray(0, 3000));
    await turn();
    let isDrained = false;
    const drained = intake.drain(60_000).then(() => (isDrained = true));
    expect([intake.receiving, isDrained]).toEqual([1, false]);
    send(BODY.subarray(3000));
    end();
    expect(await taking).toHaveLength(1);
    await drained;
  });

  test('ends bodies that continue past the grace period, with Retry-After', async () => {
    const intake = openIntake();
    const { request, send } = fakeRequest(FORM_HEADERS);
    const taking = intake.receiveForm(SCOPE, request);
    const refused = expect(taking).rejects.toMatchObject({ code: 'shutting_down', retryAfterMs: 1000 });
    send(BODY.subarray(0, 3000));
    await intake.drain(1);
    await refused;
    expect([intake.receiving, space.files(), space.queued]).toEqual([0, [], []]);
  });
});
