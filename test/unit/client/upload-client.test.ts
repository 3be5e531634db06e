import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Progress } from '../../../src/wire/documents.ts';
import {
  createUploadClient,
  type UploadClient,
  type UploadClientOptions,
  UploadError,
} from '../../../src/client/upload-client.ts';
import { freshUpload, problem } from './documents.ts';
import { FakeService } from './fake-service.ts';
import { until } from './until.ts';
import { pictureResult } from '../../helpers/results.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

let service: FakeService;
let baseUrl: string;
const clients: UploadClient[] = [];

beforeEach(async () => {
  service = new FakeService();
  baseUrl = await service.start();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  return service.stop();
});

function createClient(options: UploadClientOptions = {}): UploadClient {
  const client = createUploadClient({ baseUrl, gapMs: 20, firstRetryMs: 10, longestRetryMs: 40, ...options });
  clients.push(client);
  return client;
}

function photo(size = 1000): Blob {
  return new Blob([new Uint8Array(size)], { type: 'image/jpeg' });
}

async function rejection(promise: Promise<unknown>): Promise<UploadError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (error instanceof UploadError) return error;
  throw new Error('expected an UploadError');
}

describe('upload', () => {
  test('sends the file under a new id and resolves with the result', async () => {
    service.onStored = (id) => service.complete(id);
    const handle = createClient().upload(photo(), { name: 'Straße.jpg' });
    const upload = await handle.result;
    expect(handle.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(pictureResult(upload).width).toBe(4032);
    expect(service.bytes.get(handle.id)).toHaveLength(1000);
    expect(service.dispositions).toEqual([`attachment; filename="Stra_e.jpg"; filename*=UTF-8''Stra%C3%9Fe.jpg`]);
  });

  test('reports each phase once and in order', async () => {
    service.onStored = (id) => setTimeout(() => service.complete(id), 5);
    const phases: string[] = [];
    await createClient().upload(photo(), { onPhase: (phase) => phases.push(phase) }).result;
    expect(phases).toEqual(['sending', 'following', 'over']);
  });

  test('sends only a few files at the same time', async () => {
    service.onStored = (id) => service.complete(id);
    const open = gate();
    service.putGate = open.promise;
    const client = createClient({ sendAtOnce: 2 });
    const handles = [1, 2, 3, 4].map(() => client.upload(photo()));
    await until(() => service.uploads.size === 2);
    expect(handles.map((handle) => handle.phase)).toEqual(['sending', 'sending', 'waiting', 'waiting']);
    open.resolve();
    await Promise.all(handles.map((handle) => handle.result));
  });

  test('rejects with the problem of a rejected file', async () => {
    const refusal = problem('unsupported_media_type', 415, 'This is text.');
    service.putFaults.push({ kind: 'status', status: 415, problem: refusal });
    const error = await rejection(createClient().upload(photo()).result);
    expect(error.problem).toEqual(refusal);
    expect(error.message).toBe('This is text.');
    expect(service.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
  });

  test('stops sending when the record says that the file is rejected', async () => {
    service.putGate = new Promise(() => undefined);
    const handle = createClient().upload(photo());
    await until(() => service.uploads.has(handle.id));
    service.fail(handle.id, problem('unsupported_media_type', 415, 'This is text.'));
    expect((await rejection(handle.result)).code).toBe('unsupported_media_type');
  });

  test('rejects with the reason of a failed upload', async () => {
    service.onStored = (id) => service.fail(id, problem('picture_damaged', 422, 'It ends too early.', { final: true }));
    expect((await rejection(createClient().upload(photo()).result)).code).toBe('picture_damaged');
  });

  test('throws a RangeError if the id is already being sent', () => {
    const client = createClient();
    client.upload(photo(), { id: ID }).result.catch(() => undefined);
    expect(() => client.upload(photo(), { id: ID })).toThrow(RangeError);
  });

  test('replaces the watch of the same id when the file is given again', async () => {
    service.uploads.set(ID, freshUpload(ID));
    service.onStored = (id) => service.complete(id);
    const client = createClient();
    const watched = client.watch(ID);
    const sent = client.upload(photo(), { id: ID });
    expect((await rejection(watched.result)).code).toBe('aborted');
    expect((await sent.result).state).toBe('completed');
    expect(client.watch(ID)).not.toBe(sent);
  });
});

describe('interrupted upload', () => {
  test('is sent again under the same id', async () => {
    service.putFaults.push({ kind: 'cut', afterBytes: 1 });
    service.onStored = (id) => service.complete(id);
    const phases: string[] = [];
    const handle = createClient().upload(photo(200_000), { onPhase: (phase) => phases.push(phase) });
    await handle.result;
    const puts = service.requests.filter((line) => line.startsWith('PUT'));
    expect(puts).toEqual([`PUT /uploads/${handle.id}`, `PUT /uploads/${handle.id}`]);
    expect(service.bytes.get(handle.id)).toHaveLength(200_000);
    expect(phases).toEqual(['sending', 'retrying', 'sending', 'following', 'over']);
  });

  test('is not polled in a loop between two attempts', async () => {
    service.putFaults.push({ kind: 'cut', afterBytes: 1 }, { kind: 'status', status: 503, retryAfter: '1' });
    service.onStored = (id) => service.complete(id);
    const seen: string[] = [];
    await createClient().upload(photo(200_000), { onProgress: ({ state }) => seen.push(state) }).result;
    expect(seen).not.toContain('failed');
    // One request in 20 ms would be fifty.
    expect(service.progressRequests.length).toBeLessThan(15);
  });

  test('is not sent again if only the answer was lost', async () => {
    service.putFaults.push({ kind: 'lose-answer' });
    const handle = createClient().upload(photo());
    await until(() => handle.phase === 'following');
    service.complete(handle.id);
    await handle.result;
    expect(service.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
  });

  test('waits for Retry-After', async () => {
    service.putFaults.push({ kind: 'status', status: 503, retryAfter: '1' });
    service.onStored = (id) => service.complete(id);
    const startedAtMs = Date.now();
    await createClient().upload(photo()).result;
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(1000);
  });

  test('is sent again if the queue was full at its end, although its record has failed', async () => {
    const full = problem('queue_full', 503, 'Full.', { state: 'failed', final: true });
    service.putFaults.push({ kind: 'status', status: 503, problem: full });
    service.onStored = (id) => service.complete(id);
    const handle = createClient().upload(photo());
    expect((await handle.result).state).toBe('completed');
    expect(service.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(2);
  });

  test('continues at once after wake', async () => {
    service.putFaults.push({ kind: 'status', status: 503, retryAfter: '600' });
    service.onStored = (id) => service.complete(id);
    const client = createClient();
    const handle = client.upload(photo());
    await until(() => handle.phase === 'retrying');
    client.wake();
    await handle.result;
  });

  test('is given up after giveUpAfterMs', async () => {
    service.putFaults.push(...Array.from({ length: 50 }, () => ({ kind: 'status', status: 503 }) as const));
    const error = await rejection(createClient({ giveUpAfterMs: 60 }).upload(photo()).result);
    expect(error.status).toBe(503);
  });
});

describe('progress', () => {
  test('never goes down and ends with the upload', async () => {
    const handle = createClient().upload(photo());
    await until(() => handle.phase === 'following');
    const seen: Progress[] = [];
    const reading = (async () => {
      for await (const progress of handle.progress) seen.push(progress);
    })();
    for (const percent of [40, 60, 35, 80]) {
      service.move(handle.id, { state: 'processing', percent });
      await until(() => seen.some((progress) => progress.version === service.uploads.get(handle.id)?.version));
    }
    service.complete(handle.id);
    await reading;
    const percents = seen.map((progress) => progress.percent);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(percents.at(-1)).toBe(100);
  });

  test('reports the received bytes during the transfer', async () => {
    service.putGate = new Promise(() => undefined);
    const seen: Progress[] = [];
    createClient().upload(photo(), { onProgress: (progress) => seen.push(progress) });
    await until(() => seen.length > 0);
    expect(seen[0]).toMatchObject({ state: 'receiving', percent: 30 });
  });
});

describe('headers', () => {
  test.each([
    ['an object', { 'X-Gateway': 'a key' }],
    ['a promise of a function', async () => ({ 'X-Gateway': 'a key' })],
  ])('of %s are sent with every request', async (_, headers) => {
    service.onStored = (id) => service.complete(id);
    service.move(OTHER, { state: 'queued' });
    const seen: { method: string; gateway: string | null }[] = [];
    const recordingFetch: typeof fetch = async (input, init) => {
      seen.push({ method: init?.method ?? 'GET', gateway: new Headers(init?.headers).get('X-Gateway') });
      return await fetch(input, init);
    };
    const client = createClient({ headers, fetch: recordingFetch });
    client.watch(OTHER);
    await until(() => service.heldCount === 1);
    const handle = client.upload(photo());
    await handle.result;
    await handle.delete();
    expect(new Set(seen.map(({ method }) => method))).toEqual(new Set(['PUT', 'GET', 'DELETE']));
    expect(new Set(seen.map(({ gateway }) => gateway))).toEqual(new Set(['a key']));
  });
});

describe('cancel', () => {
  test('ends a waiting upload without a request', async () => {
    service.putGate = new Promise(() => undefined);
    const client = createClient({ sendAtOnce: 1 });
    client.upload(photo());
    const handle = client.upload(photo());
    await handle.cancel();
    expect((await rejection(handle.result)).code).toBe('upload_cancelled');
    expect(service.requests.some((line) => line.includes(handle.id))).toBe(false);
  });

  test('stops the transfer and cancels the upload on the server', async () => {
    service.putGate = new Promise(() => undefined);
    const abort = new AbortController();
    const handle = createClient().upload(photo(), { signal: abort.signal });
    await until(() => service.uploads.has(handle.id));
    abort.abort();
    expect((await rejection(handle.result)).code).toBe('upload_cancelled');
    expect(service.requests).toContain(`POST /uploads/${handle.id}/cancel`);
    expect(service.uploads.get(handle.id)?.state).toBe('cancelled');
  });

  test('does not change a completed upload', async () => {
    service.onStored = (id) => service.complete(id);
    const handle = createClient({ gapMs: 500 }).upload(photo());
    await until(() => service.bytes.has(handle.id));
    await handle.cancel();
    expect((await handle.result).state).toBe('completed');
  });
});

describe('watch', () => {
  test('reports the progress of an upload that the server knows', async () => {
    service.move(ID, { state: 'processing', percent: 55 });
    const handle = createClient().watch(ID);
    await until(() => service.heldCount === 1);
    service.complete(ID);
    expect((await handle.result).id).toBe(ID);
  });

  test('rejects for an unknown upload and continues the others', async () => {
    service.move(OTHER, { state: 'queued' });
    const client = createClient();
    const unknown = client.watch(ID);
    const known = client.watch(OTHER);
    expect((await rejection(unknown.result)).code).toBe('unknown_upload');
    service.complete(OTHER);
    expect((await known.result).id).toBe(OTHER);
  });

  test('returns the existing handle for the same id', () => {
    const client = createClient();
    expect(client.watch(ID)).toBe(client.watch(ID));
  });
});

describe('close', () => {
  test('ends every upload without a request to the server', async () => {
    service.putGate = new Promise(() => undefined);
    const client = createClient();
    const handle = client.upload(photo());
    await until(() => service.uploads.has(handle.id));
    client.close();
    expect((await rejection(handle.result)).code).toBe('aborted');
    expect(service.requests.filter((line) => !line.startsWith('PUT'))).toEqual([]);
  });
});

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
