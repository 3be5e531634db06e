import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Problem, Progress, ProgressList, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, postFiles, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { photo } from '../helpers/pictures.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startService, type Service } from '../helpers/service.ts';
import { readEvents } from '../helpers/server-events.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** No worker runs, so uploads stay queued and responses stay held until a test starts one. */
let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const env = { DEFERRED_MAX_HELD: '8' };
  [service, bytes] = await Promise.all([startService({ workers: 0, env }), photo({ width: 300, height: 200 })]);
});

afterAll(async () => {
  await expectNothingLeft(service);
  await service.stop();
});

async function queued(): Promise<Upload> {
  const { body } = await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg');
  expect(body).toMatchObject({ state: 'queued', progress: { stage: 'queue', percent: 30 } });
  return body;
}

async function heldNow(): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return heldInMetrics(text) + Number(/^deferred_uploads_waiters (\d+)$/m.exec(text)?.[1]);
}

async function nothingHeld(): Promise<void> {
  await eventually('nothing to be held', async () => (await heldNow()) === 0);
}

describe('timeout values', () => {
  test('of a progress poll are the current progress with timedOut true', async () => {
    const { id, version } = await queued();
    const { status, body } = await getJson<Progress>(
      `${service.url}/uploads/${id}/progress?since=${version}&timeout=30`,
    );
    expect([status, body.timedOut, body.version, body.state]).toEqual([200, true, version, 'queued']);
    expect(body.queuePosition).toBeGreaterThan(0);
    await nothingHeld();
  });

  test('of a conditional poll are a 304, and a version from another process is answered at once', async () => {
    const { id, version } = await queued();
    const url = `${service.url}/uploads/${id}/progress?timeout=30`;
    expect((await getJson(url, { 'If-None-Match': `W/"${version}"` })).status).toBe(304);
    expect((await getJson(url, { 'If-None-Match': `"${version}", W/"${version + 1}"` })).status).toBe(304);
    expect((await getJson<Progress>(url, { 'If-None-Match': `"${version + 5}"` })).body.timedOut).toBe(false);
    expect((await getJson<Progress>(`${url}&since=${version + 5}`)).body.timedOut).toBe(false);
  });

  test('of a result are a 202 with timedOut and Retry-After', async () => {
    const { id } = await queued();
    const { status, body, headers } = await getJson<Progress>(`${service.url}/uploads/${id}/result?timeout=1`);
    expect([status, body.timedOut, body.id]).toEqual([202, true, id]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('of an upload that asked to wait are a 202 with its current state', async () => {
    const { status, body } = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes }], '?timeout=20');
    expect([status, body.uploads[0]?.state, body.uploads[0]?.progress.timedOut]).toEqual([202, 'queued', true]);
  });

  test('of a watch on many uploads are an empty list with timedOut', async () => {
    const [a, b] = [await queued(), await queued()];
    const url = `${service.url}/progress?upload=${a.id}~${a.version}&upload=${b.id}~${b.version}&timeout=20`;
    expect((await getJson<ProgressList>(url)).body).toEqual({ uploads: [], timedOut: true });
  });

  test('come after the time in Prefer: wait, unless it is malformed or the query has a timeout', async () => {
    const { id, version } = await queued();
    const url = `${service.url}/uploads/${id}/progress?since=${version}`;
    const waited = await getJson<Progress>(url, { Prefer: 'respond-async, wait=0' });
    expect([waited.body.timedOut, waited.headers.get('preference-applied')]).toEqual([true, 'wait=0']);
    const query = await getJson<Progress>(`${url}&timeout=1`, { Prefer: 'wait=20' });
    expect([query.body.timedOut, query.headers.get('preference-applied')]).toEqual([true, null]);
    const malformed = await getJson(`${service.url}/uploads/${id}/progress`, { Prefer: 'wait=soon' });
    expect([malformed.status, malformed.headers.get('preference-applied')]).toEqual([200, null]);
  });

  test('of a variant are a placeholder that is never cached', async () => {
    const { publicId } = await queued();
    const response = await fetch(`${service.url}/variants/${publicId}/160?timeout=20`);
    expect([response.status, response.headers.get('x-timed-out'), response.headers.get('cache-control')]).toEqual([
      200,
      'true',
      'no-store',
    ]);
    expect(response.headers.get('content-type')).toMatch(/^image\//);
    expect((await getJson<Problem>(`${service.url}/variants/${publicId}/nope`)).body.code).toBe('unknown_variant');
  });
});

describe('limits of held responses', () => {
  test('reject a poll with 503 and Retry-After, and free the place of a client that disconnects', async () => {
    const { id, version } = await queued();
    const url = `${service.url}/uploads/${id}/progress?since=${version}`;
    const leave = new AbortController();
    const held = Array.from({ length: 8 }, () => fetch(url, { signal: leave.signal }).catch(() => undefined));
    await eventually('eight to be held', async () => (await heldNow()) === 16);
    const refused = await getJson<Problem>(url, { Prefer: 'wait=5' });
    expect([refused.status, refused.body.code, refused.headers.has('preference-applied')]).toEqual([
      503,
      'too_many_held',
      false,
    ]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    leave.abort();
    await Promise.all(held);
    await nothingHeld();
  });

  test('apply to each address as well', async () => {
    const api = await service.addApi({ DEFERRED_MAX_HELD_PER_ADDRESS: '1', TRUSTED_PROXIES: '127.0.0.1' });
    const { id, version } = await queued();
    const url = `${api.url}/uploads/${id}/progress?since=${version}`;
    const from = (address: string, timeoutMs: number) =>
      getJson<Problem>(`${url}&timeout=${timeoutMs}`, { 'X-Forwarded-For': address });
    const held = from('192.0.2.1', LONG_HOLD_MS);
    await eventually(
      'it to be held',
      async () => heldInMetrics(await (await fetch(`${api.url}/metrics`)).text()) === 1,
    );
    const refused = await from('192.0.2.1', LONG_HOLD_MS);
    expect([refused.status, refused.body.code, refused.headers.has('retry-after')]).toEqual([
      429,
      'too_many_held_by_address',
      true,
    ]);
    expect((await from('192.0.2.2', 1)).status).toBe(200);
    await fetch(`${api.url}/uploads/${id}`, { method: 'DELETE' });
    expect((await held).status).toBe(200);
  });

  test('do not keep a stored file from getting its 202', async () => {
    const api = await service.addApi({ DEFERRED_MAX_HELD: '1' });
    const { id, version } = await queued();
    const leave = new AbortController();
    const held = fetch(`${api.url}/uploads/${id}/progress?since=${version}`, { signal: leave.signal }).catch(
      () => undefined,
    );
    await eventually(
      'it to be held',
      async () => heldInMetrics(await (await fetch(`${api.url}/metrics`)).text()) === 1,
    );
    const sent = await putFile<Upload>(api.url, randomUUID(), bytes, 'a.jpg', '', { Prefer: 'wait=3' });
    expect([
      sent.status,
      sent.body.state,
      sent.headers.has('location'),
      sent.headers.has('preference-applied'),
    ]).toEqual([202, 'queued', true, false]);
    leave.abort();
    await held;
  });

  test('give several forms that ask to wait a 202 if only one response can be held', async () => {
    const api = await service.addApi({ DEFERRED_MAX_HELD: '1' });
    const sent = await Promise.all(
      Array.from({ length: 6 }, (_, index) => postFiles(api.url, [{ name: `${index}.jpg`, bytes }], '?timeout=300')),
    );
    expect(sent.map(({ status }) => status)).toEqual(Array(6).fill(202));
    for (const { headers } of sent) expect(headers.get('location')).toMatch(/^\/uploads\//);
    await api.end();
  });

  test('do not apply to HEAD of an event stream, which ends at once', async () => {
    const { id } = await queued();
    const head = await fetch(`${service.url}/uploads/${id}/events`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await nothingHeld();
  });

  test('are freed by DELETE, which answers every waiter with state cancelled', async () => {
    const { id, version } = await queued();
    const poll = getJson<Progress>(`${service.url}/uploads/${id}/progress?since=${version}`);
    const many = getJson<ProgressList>(`${service.url}/progress?upload=${id}~${version}`);
    const result = getJson<Problem>(`${service.url}/uploads/${id}/result`);
    const events = readEvents(`${service.url}/uploads/${id}/events?since=${version}`);
    await eventually('all to be held', async () => (await heldNow()) === 8);
    expect((await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await poll).body).toMatchObject({ state: 'cancelled', final: true, timedOut: false });
    expect((await many).body.uploads[0]).toMatchObject({ state: 'cancelled' });
    expect(await result).toMatchObject({
      status: 410,
      body: { code: 'upload_cancelled', state: 'cancelled', final: true },
    });
    expect((await events).at(-1)?.data).toMatchObject({ state: 'cancelled' });
    await nothingHeld();
  });

  test('do not affect cancel, which stops queued work once and makes the result a 410', async () => {
    const { id } = await queued();
    const cancel = async () => await fetch(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
    expect([(await cancel()).status, (await cancel()).status]).toEqual([202, 200]);
    expect((await getJson<Problem>(`${service.url}/uploads/${id}/result`)).body.code).toBe('upload_cancelled');
  });

  test('do not affect a watch, which answers an unknown upload in its place', async () => {
    const { id, version } = await queued();
    const unknown = randomUUID();
    const { body } = await getJson<ProgressList>(
      `${service.url}/progress?upload=${id}~${version}&upload=${unknown}~1&upload=nonsense`,
    );
    expect(body.uploads.map((entry) => ('error' in entry ? [entry.id, entry.error.code] : entry.id))).toEqual([
      [unknown, 'unknown_upload'],
      ['nonsense', 'bad_upload_id'],
    ]);
  });
});

describe('waits for ids that nobody has used', () => {
  /** Makes the query of one request that waits for 100 ids. */
  const manyIds = () => Array.from({ length: 100 }, () => `upload=${randomUUID()}~0`).join('&');

  test('are limited, leave nothing in Redis, and do not hinder an upload', async () => {
    const leave = new AbortController();
    const queries = Array.from({ length: 8 }, manyIds);
    const held = queries.map((query) =>
      fetch(`${service.url}/progress?${query}`, { signal: leave.signal }).catch(() => undefined),
    );
    await eventually('eight to be held', async () => (await heldNow()) === 16);
    for (const path of [`uploads/${randomUUID()}/progress?since=0`, `uploads/${randomUUID()}/events?since=0`]) {
      const refused = await getJson<Problem>(`${service.url}/${path}`);
      expect([refused.status, refused.body.code, refused.headers.has('retry-after')]).toEqual([
        503,
        'too_many_held',
        true,
      ]);
    }
    expect((await queued()).state).toBe('queued');
    const keys = JSON.stringify(await redisCommand(service.redis.url, 'KEYS', '*'));
    const ids = queries.join('&').match(UUID) ?? [];
    expect([ids.length, ids.filter((id) => keys.includes(id))]).toEqual([800, []]);
    leave.abort();
    await Promise.all(held);
    await nothingHeld();
  });

  test('end with a 404 for each id', async () => {
    const list = await getJson<ProgressList>(`${service.url}/progress?${manyIds()}&timeout=20`);
    const codes = list.body.uploads.map((entry) => 'error' in entry && entry.error.code);
    expect([list.status, list.body.timedOut, codes]).toEqual([200, true, Array(100).fill('unknown_upload')]);
    for (const kind of ['progress', 'events']) {
      const { status, body } = await getJson<Problem>(
        `${service.url}/uploads/${randomUUID()}/${kind}?since=0&timeout=20`,
      );
      expect([status, body.code]).toEqual([404, 'unknown_upload']);
    }
    await nothingHeld();
  });

  test('go on after a DELETE of the id, and are answered when the upload begins and is deleted', async () => {
    const id = randomUUID();
    const remove = async () => (await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status;
    const wait = `timeout=${LONG_HOLD_MS}`;
    const poll = getJson<Progress>(`${service.url}/uploads/${id}/progress?since=0&${wait}`);
    const many = getJson<ProgressList>(`${service.url}/progress?upload=${id}~0&${wait}`);
    const events = readEvents(`${service.url}/uploads/${id}/events?since=0&${wait}`);
    await eventually('all to be held', async () => (await heldNow()) === 6);
    expect([await remove(), await heldNow()]).toEqual([404, 6]);
    await putFile(service.url, id, bytes, 'a.jpg');
    // A slow machine may answer before the file is stored.
    const begun = expect.stringMatching(/^(receiving|queued)$/);
    expect([(await poll).body, (await many).body.uploads[0]]).toMatchObject([{ state: begun }, { state: begun }]);
    expect(await remove()).toBe(204);
    expect((await events).at(-1)?.data).toMatchObject({ state: 'cancelled', final: true });
    expect((await getJson(`${service.url}/uploads/${id}/progress?since=0`)).status).toBe(410);
    await nothingHeld();
  });
});

test('a worker that starts resolves all held responses: events in order, a variant, the result', async () => {
  const { id, publicId, version } = await queued();
  const events = readEvents(`${service.url}/uploads/${id}/events?since=${version}`);
  const variant = fetch(`${service.url}/variants/${publicId}/640`);
  const result = getJson<Upload>(`${service.url}/uploads/${id}/result`);
  await eventually('three to be held', async () => (await heldNow()) === 6);
  await service.addWorker();
  const picture = await variant;
  expect([picture.status, picture.headers.get('x-timed-out'), picture.headers.get('content-type')]).toEqual([
    200,
    null,
    'image/webp',
  ]);
  expect(picture.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  const again = await fetch(picture.url, {
    // With a condition, fetch adds a header that forbids the cache.
    headers: { 'If-None-Match': picture.headers.get('etag') ?? '', 'Cache-Control': 'max-age=0' },
  });
  expect(again.status).toBe(304);
  expect((await result).body.state).toBe('completed');
  const seen = await events;
  const versions = seen.map((event) => Number(event.id));
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(seen.at(-1)?.data).toMatchObject({ state: 'completed', percent: 100 });
  const ended = await fetch(`${service.url}/uploads/${id}/events`, {
    headers: { 'Last-Event-ID': seen.at(-1)?.id ?? '' },
  });
  expect(ended.status).toBe(204);
  await nothingHeld();
});
