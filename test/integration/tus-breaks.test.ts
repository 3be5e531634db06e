import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import { getJson, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus, offsetOf, openPatch, patchTus, sendByTusClient } from '../helpers/tus-requests.ts';
import { filesOf, locksIn, partsOf, resultOf, sha256 } from '../helpers/tus-service.ts';

const MIB = 1024 * 1024;

let service: Service;
let url: string;
let otherUrl: string;
/** A picture, followed by enough bytes for several parts. */
let bytes: Buffer;

beforeAll(async () => {
  const env = {
    UPLOAD_STALL_TIMEOUT_MS: String(Math.min(patienceMs(1000), 8000)),
    SHUTDOWN_GRACE_MS: '1000',
    SWEEP_PERIOD_MS: '300',
  };
  const [started, picture] = await Promise.all([startService({ apis: 2, env }), photo({ width: 900, height: 600 })]);
  service = started;
  bytes = Buffer.concat([picture, Buffer.alloc(30 * MIB, 'and so on ')]);
});

beforeEach(() => {
  [url = '', otherUrl = ''] = service.apis.slice(-2).map((api) => api.url);
});

afterAll(async () => {
  await expectNothingLeft(service);
  await service.stop();
});

async function created(length = bytes.length): Promise<string> {
  return await createTus(url, { 'Upload-Length': String(length) });
}

async function progressOf(id: string): Promise<Progress> {
  return (await getJson<Progress>(`${otherUrl}/uploads/${id}/progress`)).body;
}

/** Sends some bytes of a PATCH that announces all, and waits until another process reports them. */
async function sendSome(id: string, byteCount: number) {
  const patch = openPatch(url, id, 0, bytes.length);
  await patch.send(bytes.subarray(0, byteCount));
  await eventually('the bytes', async () => (await progressOf(id)).bytes.received === byteCount);
  return patch;
}

/** Sends the rest from the returned offset on, and checks the outcome of the upload. */
async function expectGoingOn(at: string, id: string): Promise<void> {
  const offset = Number(await offsetOf(at, id));
  const last = await patchTus(at, id, offset, bytes.subarray(offset));
  expect([last.status, last.headers.get('upload-offset')]).toEqual([204, String(bytes.length)]);
  await expectWhole(at, id);
}

async function expectWhole(at: string, id: string): Promise<void> {
  expect(await resultOf(at, id)).toMatchObject({
    state: 'completed',
    file: { size: bytes.length, sha256: sha256(bytes) },
  });
  expect([await partsOf(service, id), await locksIn(service)]).toEqual([[], []]);
}

describe('a connection that breaks during a PATCH', () => {
  test('loses no received byte, and another process continues the upload', async () => {
    const id = await created();
    const patch = await sendSome(id, 3 * MIB + 123);
    const { percent } = await progressOf(id);
    patch.request.destroy();
    expect(await offsetOf(otherUrl, id)).toBe(3 * MIB + 123);
    expect(await progressOf(id)).toMatchObject({
      state: 'receiving',
      percent,
      bytes: { received: 3 * MIB + 123, total: bytes.length },
    });
    await expectGoingOn(otherUrl, id);
  });

  test('is continued by tus-js-client by itself, at another process', async () => {
    const link = await Link.open(url);
    const offsets: number[] = [];
    link.cutAfter(12 * MIB, () => {
      link.retarget(otherUrl);
      link.repair();
    });
    const id = await sendByTusClient(link.url, bytes, {
      onAfterResponse: (request, response) =>
        void (request.getMethod() === 'HEAD' && offsets.push(Number(response.getHeader('Upload-Offset')))),
    });
    expect(offsets.at(-1)).toBeGreaterThan(0);
    expect((await resultOf(url, id)).file.sha256).toBe(sha256(bytes));
    await link.close();
  });

  test('and is not noticed by the service is ended when the client asks another process', async () => {
    const id = await created();
    const stuck = await sendSome(id, MIB);
    expect(await offsetOf(otherUrl, id)).toBe(MIB);
    expect(await stuck.answer).toEqual({ status: 204, offset: MIB });
    await expectGoingOn(otherUrl, id);
  });

  test('without closing is ended after a silence, and its received bytes are kept', async () => {
    const id = await created();
    const silent = await sendSome(id, MIB);
    expect(await silent.answer).toEqual({ status: 204, offset: MIB });
    await expectGoingOn(url, id);
  });
});

test('a PATCH with an old offset ends the running PATCH, keeps its bytes and gets a 409', async () => {
  const id = await created();
  const first = await sendSome(id, 2 * MIB);
  const second = patchTus(otherUrl, id, 0, bytes.subarray(0, MIB));
  expect(await first.answer).toEqual({ status: 204, offset: 2 * MIB });
  expect((await second).body?.code).toBe('offset_conflict');
  await expectGoingOn(url, id);
});

test('two PATCH requests at the same time lose and duplicate no byte', async () => {
  const id = await created();
  const answers = await Promise.all([url, otherUrl].map(async (at) => await patchTus(at, id, 0, bytes)));
  // The second request asks the first to end. On a slow machine the first ends early, with the bytes that it has.
  const outcomes = answers.map(({ status, body }) => (status === 204 ? 'taken' : body?.code));
  expect(outcomes).toContain('taken');
  expect(outcomes.filter((outcome) => outcome !== 'taken' && outcome !== 'offset_conflict')).toEqual([]);
  if (Number(await offsetOf(url, id)) < bytes.length) await expectGoingOn(url, id);
  else await expectWhole(url, id);
});

test('a cancel stops a PATCH in another process and leaves nothing', async () => {
  const id = await created();
  const patch = await sendSome(id, 2 * MIB);
  await requestJson<Upload>(`${otherUrl}/uploads/${id}/cancel`, { method: 'POST' });
  let isAnswered = false;
  void patch.answer.then(() => (isAnswered = true));
  for (let sent = 2 * MIB; sent < bytes.length && !isAnswered; sent += MIB) {
    await Promise.race([patch.send(bytes.subarray(sent, sent + MIB)), patch.answer]);
  }
  expect(await patch.answer).toMatchObject({ status: 410 });
  await eventually('no files', async () => (await filesOf(service, id)).length === 0);
  expect(await locksIn(service)).toEqual([]);
});

/** Returns the number of bytes that would be left after a power failure. */
async function savedBytes(id: string): Promise<number> {
  const names = await partsOf(service, id);
  return Math.max(0, ...names.map((name) => Number(/-(\d{16})-open$/.exec(name)?.[1] ?? 0)));
}

describe('a process that ends during a PATCH', () => {
  test('by a kill has lost only the last bytes, and its lock expires', async () => {
    const id = await created();
    await sendSome(id, 20 * MIB);
    await eventually('saved bytes', async () => (await savedBytes(id)) >= 8 * MIB);
    const [victim] = service.apis.slice(-2);
    await victim?.end('SIGKILL');
    const offset = Number(await offsetOf(otherUrl, id));
    expect(offset).toBeGreaterThanOrEqual(8 * MIB);
    await expectGoingOn(otherUrl, id);
    await service.addApi();
  });

  test('by a stop keeps all received bytes and reports the offset', async () => {
    const id = await created();
    const patch = await sendSome(id, 3 * MIB);
    const [victim] = service.apis.slice(-2);
    const ended = victim?.end('SIGTERM');
    expect(await patch.answer).toEqual({ status: 204, offset: 3 * MIB });
    await expectGoingOn(otherUrl, id);
    expect(await ended).toBe(0);
    await service.addApi();
  });
});
