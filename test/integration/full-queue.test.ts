import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import type { Problem, Progress, Upload, UploadList } from '../../src/wire/documents.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { runScript } from '../helpers/script-process.ts';
import { readEvents } from '../helpers/server-events.ts';
import { startProcess, startService, type Service, type ServiceProcess } from '../helpers/service.ts';
import { createTus, offsetOf, patchTus, sendByTusClient, tusRequest } from '../helpers/tus-requests.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';

const CAPACITY = 3;
const SHARE = 2;

/** Three installations on one Redis: one rejects uploads, one limits each address, one discards the oldest. */
const REFUSING = { QUEUE_PREFIX: 'refusing', QUEUE_CAPACITY: String(CAPACITY) };
const SHARING = { QUEUE_PREFIX: 'sharing', QUEUE_CAPACITY_PER_ADDRESS: String(SHARE), TRUSTED_PROXIES: '127.0.0.1' };
const DISCARDING = { QUEUE_PREFIX: 'discarding', QUEUE_CAPACITY: '1', QUEUE_OVERFLOW: 'discard-oldest' };

let service: Service;
let redis: Redis;
let bytes: Buffer;
let refusing: string[];
let sharing: string;
let discarding: string[];
const workers: ServiceProcess[] = [];

beforeAll(async () => {
  [service, bytes] = await Promise.all([startService({ apis: 0, workers: 0 }), photo({ width: 300, height: 200 })]);
  redis = new Redis(service.redis.url);
  const apis = await Promise.all(
    [REFUSING, REFUSING, SHARING, DISCARDING, DISCARDING].map((env) =>
      service.addApi({ ...env, STORAGE: `file:${directoryOf(env.QUEUE_PREFIX)}` }),
    ),
  );
  const urls = apis.map(({ url }) => url);
  [refusing, sharing, discarding] = [urls.slice(0, 2), urls[2] ?? '', urls.slice(3)];
});

afterAll(async () => {
  redis.disconnect();
  await service.stop();
});

/** Every test begins with empty queues without a measured drain rate. */
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.end()));
  for (const [prefix, url] of [
    ['refusing', refusing[0]],
    ['sharing', sharing],
    ['discarding', discarding[0]],
  ] as const) {
    for (const id of await waitingIn(prefix)) await requestJson(`${url}/uploads/${id}/cancel`, { method: 'POST' });
    expect(await redis.exists(queueKeys(prefix).waiting, queueKeys(prefix).waitingByAddress)).toBe(0);
    await redis.del(queueKeys(prefix).drained);
  }
});

/** Returns the directory of an installation, because each has a storage of its own. */
function directoryOf(prefix: string): string {
  return join(service.directory, prefix);
}

async function waitingIn(prefix: string): Promise<string[]> {
  return await redis.zrange(queueKeys(prefix).waiting, '0', '-1');
}

/** Returns all files of the upload. */
async function filesOf(id: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, id)).map((path) => basename(path));
}

async function fill(url: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) expect((await putFile(url, id, bytes, 'a.jpg')).status).toBe(202);
  return ids;
}

/** Returns the status, the code and the seconds to wait of a rejection. */
function refusalIn({
  status,
  headers,
  body,
}: {
  status: number;
  headers: Headers;
  body: { code?: string | undefined } | null;
}): [number, string | undefined, number] {
  return [status, body?.code, Number(headers.get('retry-after'))];
}

async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Returns whether a pause is the default: 10 seconds and up to a quarter more. */
const isUnmeasured = (seconds: number) => seconds >= 10 && seconds <= 13;

describe('a full queue', () => {
  test('gives uploads that race on two processes exactly its places, and keeps no files of the rest', async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const answers = await Promise.all(
      ids.map((id, index) => putFile<Upload & Problem>(refusing[index % 2] ?? '', id, bytes, 'a.jpg')),
    );
    const taken = ids.filter((_, index) => answers[index]?.status === 202);
    expect([taken.length, (await waitingIn('refusing')).sort()]).toEqual([CAPACITY, taken.sort()]);
    for (const answer of answers.filter(({ status }) => status !== 202)) {
      const [status, code, seconds] = refusalIn(answer);
      expect([status, code, isUnmeasured(seconds)]).toEqual([503, 'queue_full', true]);
    }
    for (const id of ids) expect((await filesOf(id)).length).toBe(taken.includes(id) ? 2 : 0);
  });

  test('rejects an upload that waits for 100-continue before its body is sent', async () => {
    await fill(refusing[0] ?? '', CAPACITY);
    const head = (line: string) =>
      `${line} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${bytes.length}\r\n`;
    const put = `${head(`PUT /uploads/${randomUUID()}`)}\r\n`;
    const post = `${head('POST /uploads')}Content-Type: multipart/form-data; boundary=b\r\n\r\n`;
    const tus = `${head('POST /files')}Tus-Resumable: 1.0.0\r\nUpload-Length: ${bytes.length}\r\nContent-Type: application/offset+octet-stream\r\n\r\n`;
    for (const request of [put, post, tus]) {
      expect(await rawRequest(refusing[1] ?? '', request)).toMatch(
        /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\d\r\n.*"code":"queue_full"/is,
      );
    }
  });

  test('lets an upload that waits for 100-continue send its body while places are free', async () => {
    const head = `PUT /uploads/${randomUUID()} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    expect(await rawRequest(refusing[0] ?? '', head, bytes)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
    const part = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'),
      bytes,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const form = `POST /uploads HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${part.length}\r\n\r\n`;
    expect(await rawRequest(refusing[0] ?? '', form, part)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
    const tus = `POST /files HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nTus-Resumable: 1.0.0\r\nUpload-Length: ${bytes.length}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    expect(await rawRequest(refusing[0] ?? '', tus, bytes)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });

  test('answers clients that send the body anyway, without a connection reset', async () => {
    await fill(refusing[0] ?? '', CAPACITY);
    const large = Buffer.concat([bytes, Buffer.alloc(8_000_000)]);
    const put = await putFile<Problem>(refusing[0] ?? '', randomUUID(), large, 'a.jpg');
    const post = await postFiles<Problem>(refusing[0] ?? '', [{ name: 'a.jpg', bytes: large }]);
    expect([refusalIn(put).slice(0, 2), refusalIn(post).slice(0, 2)]).toEqual([
      [503, 'queue_full'],
      [503, 'queue_full'],
    ]);
  });

  test('accepts the files of a form that get a place, and rejects each other file as queue_full', async () => {
    const [id = ''] = await fill(refusing[0] ?? '', CAPACITY - 1);
    const files = ['1.jpg', '2.jpg', '3.jpg'].map((name) => ({ name, bytes }));
    const { status, body } = await postFiles<UploadList>(refusing[1] ?? '', files);
    expect([status, body.uploads.map(({ state, error }) => [state, error?.code])]).toEqual([
      202,
      [
        ['queued', undefined],
        ['failed', 'queue_full'],
        ['failed', 'queue_full'],
      ],
    ]);
    for (const upload of body.uploads)
      expect((await filesOf(upload.id)).length).toBe(upload.state === 'queued' ? 2 : 0);
    await requestJson(`${refusing[0]}/uploads/${id}/cancel`, { method: 'POST' });
    expect((await postFiles<UploadList>(refusing[1] ?? '', files.slice(0, 1))).status).toBe(202);
  });

  test('rejects an upload during whose body it filled up, and watchers of the upload get the outcome', async () => {
    const [url = '', otherUrl = ''] = refusing;
    const id = randomUUID();
    const sent = putInHalves<Problem>(`${url}/uploads/${id}`, bytes);
    await eventually('it to be received', async () => (await filesOf(id)).length > 0);
    const held = getJson<Problem>(`${otherUrl}/uploads/${id}/result`);
    await fill(otherUrl, CAPACITY);
    sent.finish();
    // The sender gets a Retry-After. The result of the upload is final, so it has none.
    for (const [{ status, headers, body }, expected] of [
      [await sent.answer, [503, true]],
      [await held, [500, false]],
    ] as const) {
      expect([body.code, body.state, body.final]).toEqual(['queue_full', 'failed', true]);
      expect([status, headers.has('retry-after')]).toEqual(expected);
    }
    expect([(await getJson<Upload>(`${otherUrl}/uploads/${id}`)).body.error?.code, await filesOf(id)]).toEqual([
      'queue_full',
      [],
    ]);
  });

  test('is shown to operators, and rejects no other request', async () => {
    const url = refusing[0] ?? '';
    const ids = await fill(url, CAPACITY);
    const refusedBefore = await metricOf(url, 'deferred_uploads_queue_rejected_total\\{code="queue_full"\\}');
    await putFile(url, randomUUID(), bytes, 'a.jpg');
    expect(await metricOf(url, 'deferred_uploads_queue_rejected_total\\{code="queue_full"\\}')).toBe(
      (Number.isNaN(refusedBefore) ? 0 : refusedBefore) + 1,
    );
    expect([
      await metricOf(url, 'deferred_uploads_queue_waiting'),
      await metricOf(url, 'deferred_uploads_queue_capacity'),
    ]).toEqual([CAPACITY, CAPACITY]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const places = await Promise.all(
      ids.map(async (id) => (await getJson<Progress>(`${refusing[1]}/uploads/${id}/progress`)).body.queuePosition),
    );
    expect(places).toEqual([1, 2, 3]);
    expect((await putFile<Upload>(url, ids[1] ?? '', bytes, 'a.jpg')).body).toMatchObject({
      id: ids[1],
      state: 'queued',
    });
  });

  test('sends a Retry-After based on its drain rate, equal on every process', async () => {
    const drained = queueKeys('refusing').drained;
    const [seconds] = await redis.time();
    // 60 uploads have left within the last 10 seconds, so a place is free within one second, the shortest pause. They
    // count for a minute.
    await redis.hset(drained, String(Math.floor(Number(seconds) / 5) - 1), 60);
    await fill(refusing[0] ?? '', CAPACITY);
    for (const url of refusing)
      expect(refusalIn(await putFile<Problem>(url, randomUUID(), bytes, 'a.jpg'))).toEqual([503, 'queue_full', 2]);
  });

  test('accepts rejected files after workers have emptied it', async () => {
    const url = refusing[0] ?? '';
    await fill(url, CAPACITY);
    const id = randomUUID();
    expect((await putFile(url, id, bytes, 'a.jpg')).status).toBe(503);
    await startWorker(REFUSING);
    const sent = await eventually(
      'a place',
      async () => {
        const answer = await putFile<Upload>(url, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
        return answer.status !== 503 && answer;
      },
      30_000,
    );
    expect([sent.status, sent.body.state]).toEqual([200, 'completed']);
    expect(await metricOf(refusing[1] ?? '', 'deferred_uploads_queue_drained_per_second')).toBeGreaterThan(0);
  });
});

describe('a resumable upload at a full queue', () => {
  test('is not created', async () => {
    const url = refusing[0] ?? '';
    await fill(url, CAPACITY);
    const answer = await tusRequest('POST', `${url}/files`, { 'Upload-Length': '100' });
    const [status, code, seconds] = refusalIn(answer);
    expect([status, code, isUnmeasured(seconds), answer.headers.get('location')]).toEqual([
      503,
      'queue_full',
      true,
      null,
    ]);
  });

  test('keeps its bytes if it was created before, and tus-js-client completes it when a place is free', async () => {
    const [url = '', otherUrl = ''] = refusing;
    const half = Math.floor(bytes.length / 2);
    const id = await createTus(url, { 'Upload-Length': String(bytes.length) });
    expect((await patchTus(url, id, 0, bytes.subarray(0, half))).status).toBe(204);
    const [first = ''] = await fill(otherUrl, CAPACITY);
    const refused = await patchTus(url, id, half, bytes.subarray(half));
    expect([refusalIn(refused).slice(0, 2), await offsetOf(otherUrl, id)]).toEqual([
      [503, 'queue_full'],
      bytes.length - 1,
    ]);
    expect((await getJson<Progress>(`${otherUrl}/uploads/${id}/progress`)).body).toMatchObject({
      state: 'receiving',
      bytes: { received: bytes.length },
    });
    const sent: number[] = [];
    const done = sendByTusClient(otherUrl, bytes, {
      uploadUrl: `${otherUrl}/files/${id}`,
      retryDelays: Array<number>(50).fill(100),
      onBeforeRequest: (request) =>
        void (request.getMethod() === 'PATCH' && sent.push(Number(request.getHeader('Upload-Offset')))),
    });
    await eventually('two tries', () => sent.length >= 2);
    await requestJson(`${url}/uploads/${first}/cancel`, { method: 'POST' });
    expect([await done, new Set(sent)]).toEqual([id, new Set([bytes.length - 1])]);
    expect((await getJson<Upload>(`${url}/uploads/${id}`)).body).toMatchObject({
      state: 'queued',
      file: { size: bytes.length },
    });
    expect((await filesOf(id)).length).toBe(2);
  });
});

describe('the limit of one address', () => {
  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const put = async (address: string) =>
    await requestJson<Problem>(`${sharing}/uploads/${randomUUID()}`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: from(address),
    });

  test('rejects its uploads sent in any way, and no uploads of other addresses', async () => {
    for (let upload = 0; upload < SHARE; upload++) expect((await put('192.0.2.1')).status).toBe(202);
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)]), 'a.jpg');
    const post = await requestJson<Problem>(`${sharing}/uploads`, {
      method: 'POST',
      body: form,
      headers: from('192.0.2.1'),
    });
    const tus = await tusRequest('POST', `${sharing}/files`, { 'Upload-Length': '100', ...from('192.0.2.1') });
    for (const answer of [await put('192.0.2.1'), post, tus]) {
      const [status, code, seconds] = refusalIn(answer);
      expect([status, code, isUnmeasured(seconds)]).toEqual([429, 'too_many_queued_by_address', true]);
    }
    expect((await put('192.0.2.2')).status).toBe(202);
  });

  test('counts a /64 of IPv6 as one address, and includes resumable uploads and forms', async () => {
    const id = await createTus(sharing, { 'Upload-Length': String(bytes.length) });
    expect((await patchTus(sharing, id, 0, bytes, from('2001:db8:0:1::1'))).status).toBe(204);
    const form = new FormData();
    for (const name of ['1.jpg', '2.jpg']) form.append('file', new Blob([new Uint8Array(bytes)]), name);
    const { status, body } = await requestJson<UploadList>(`${sharing}/uploads`, {
      method: 'POST',
      body: form,
      headers: from('2001:db8:0:1:ffff::2'),
    });
    expect([status, body.uploads.map(({ state, error }) => error?.code ?? state)]).toEqual([
      202,
      ['queued', 'too_many_queued_by_address'],
    ]);
    expect(await redis.hgetall(queueKeys('sharing').waitingByAddress)).toEqual({ '2001:db8:0:1::/64': '2' });
    expect([(await put('2001:db8:0:1:1::3')).status, (await put('2001:db8:0:2::1')).status]).toEqual([429, 202]);
  });
});

describe('a queue that discards the oldest upload', () => {
  test('answers all waiters of that upload on every process, and removes its files', async () => {
    const [url = '', otherUrl = ''] = discarding;
    const [id = ''] = await fill(url, 1);
    const { version } = (await getJson<Upload>(`${url}/uploads/${id}`)).body;
    const waits = Promise.all([
      getJson<Problem>(`${url}/uploads/${id}/result`),
      getJson<Problem>(`${otherUrl}/uploads/${id}/result`),
      getJson<Progress>(`${otherUrl}/uploads/${id}/progress?since=${version}`),
      readEvents(`${otherUrl}/uploads/${id}/events?since=${version}`),
    ]);
    await eventually(
      'all to be held',
      async () =>
        (await metricOf(url, 'deferred_uploads_waiters')) === 1 &&
        (await metricOf(otherUrl, 'deferred_uploads_waiters')) === 3,
    );
    const [next = ''] = await fill(url, 1);
    const [here, there, progress, events] = await waits;
    for (const { status, body } of [here, there])
      expect([status, body]).toEqual([
        410,
        expect.objectContaining({ code: 'upload_discarded', id, state: 'discarded', final: true }),
      ]);
    expect(progress.body).toMatchObject({ state: 'discarded', final: true, timedOut: false, version: version + 1 });
    expect(events.map(({ data }) => data.state)).toEqual(['discarded']);
    expect(await filesOf(id)).toEqual([]);
    expect((await getJson<Problem>(`${url}/uploads/${id}/content`)).body).toMatchObject({ code: 'upload_discarded' });
    expect((await getJson<Progress>(`${url}/uploads/${next}/progress`)).body).toMatchObject({ queuePosition: 1 });
    expect([
      await metricOf(url, 'deferred_uploads_queue_evicted_total'),
      await metricOf(otherUrl, 'deferred_uploads_queue_evicted_total'),
    ]).toEqual([1, 0]);
  });

  test('accepts a discarded upload again under the same id', async () => {
    const [url = '', otherUrl = ''] = discarding;
    const [id = ''] = await fill(url, 1);
    await fill(otherUrl, 1);
    expect((await getJson<Upload>(`${url}/uploads/${id}`)).body).toMatchObject({ state: 'discarded', error: null });
    expect((await putFile<Upload>(otherUrl, id, bytes, 'again.jpg')).body).toMatchObject({
      state: 'queued',
      file: { name: 'again.jpg' },
      progress: { attempt: 0, final: false },
    });
    await startWorker(DISCARDING);
    expect((await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`)).body).toMatchObject({
      state: 'completed',
    });
  });

  test('is repaired by the janitor if a process died between record and permit', async () => {
    const [url = ''] = discarding;
    const [old = ''] = await fill(url, 1);
    const id = randomUUID();
    await dieTakingIn(id);
    expect([await waitingIn('discarding'), await redis.exists('{discarding}:uploads:wait')]).toEqual([[id], 0]);
    expect([(await getJson<Problem>(`${url}/uploads/${old}/result`)).body.code, (await filesOf(old)).length]).toEqual([
      'upload_discarded',
      2,
    ]);
    await startWorker(DISCARDING);
    await eventually('files of the discarded one to go', async () => (await filesOf(old)).length === 0);
    expect((await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`)).body).toMatchObject({
      state: 'completed',
    });
  });
});

async function startWorker(installation: Record<string, string> & { QUEUE_PREFIX: string }): Promise<void> {
  const env = {
    REDIS_URL: service.redis.url,
    STORAGE: `file:${directoryOf(installation.QUEUE_PREFIX)}`,
    SWEEP_PERIOD_MS: '200',
    ...installation,
  };
  workers.push(await startProcess(resolve('workers/main.ts'), env));
}

/**
 * Sends the photo under the id to a process that discards the oldest. The process is killed before it adds a permit.
 */
async function dieTakingIn(id: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'du-dying-'));
  try {
    const path = join(directory, 'photo.jpg');
    await writeFile(path, bytes);
    const dying = runScript(
      'test/helpers/dying-intake.ts',
      [service.redis.url, 'discarding', directoryOf('discarding'), path, id],
      { cwd: directory },
    );
    const code = await dying.ended;
    if (code !== null) throw new Error(`ended by itself: ${code} ${dying.stderr}`);
  } finally {
    await rm(directory, { recursive: true });
  }
}
