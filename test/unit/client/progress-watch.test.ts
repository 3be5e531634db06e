import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Progress } from '../../../src/wire/documents.ts';
import { createUploadClient, type UploadClient, type UploadClientOptions } from '../../../src/client/upload-client.ts';
import { FakeService, versionsIn } from './fake-service.ts';
import { until } from './until.ts';

const FIRST = '11111111-1111-4111-8111-111111111111';
const SECOND = '22222222-2222-4222-8222-222222222222';
const THIRD = '33333333-3333-4333-8333-333333333333';
const GAP_MS = 60;
/** A timer may fire early by this time, measured by the clock of `performance`. */
const TIMER_EARLY_MS = 2;

let service: FakeService;
let baseUrl: string;
const clients: UploadClient[] = [];
/**
 * The progress requests that the client has sent, by its own clock. The service may receive them late or not at all.
 */
let asked: { versions: Record<string, number>; atMs: number; startedAtMs: number; endedAtMs: number }[] = [];

beforeEach(async () => {
  asked = [];
  service = new FakeService();
  baseUrl = await service.start();
});

afterEach(() => {
  jest.restoreAllMocks();
  for (const client of clients.splice(0)) client.close();
  return service.stop();
});

function createClient(options: UploadClientOptions = {}): UploadClient {
  const client = createUploadClient({
    baseUrl,
    fetch: notingFetch,
    gapMs: GAP_MS,
    firstRetryMs: 40,
    longestRetryMs: 400,
    ...options,
  });
  clients.push(client);
  return client;
}

/** Records when each progress request begins, and when it has its whole answer or has failed. */
async function notingFetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const url = input instanceof Request ? input.url : input.toString();
  if (!url.includes('/progress?')) return await fetch(input, init);
  const versions = versionsIn(new URL(url));
  const request = { versions, atMs: Date.now(), startedAtMs: performance.now(), endedAtMs: Infinity };
  asked.push(request);
  try {
    const response = await fetch(input, init);
    return new Response(await response.text(), response);
  } finally {
    request.endedAtMs = performance.now();
  }
}

/** Returns the pauses between the end of each progress request and the beginning of the next. */
function pausesMs(): number[] {
  return asked.slice(1).map(({ startedAtMs }, index) => startedAtMs - (asked[index]?.endedAtMs ?? Infinity));
}

/** Checks that no two requests overlap. */
function expectOneAtATime(): void {
  for (const pauseMs of pausesMs()) expect(pauseMs).toBeGreaterThanOrEqual(0);
}

test('a change between two requests is not lost', async () => {
  service.move(FIRST, { state: 'queued' });
  const seen: number[] = [];
  const handle = createClient().watch(FIRST, { onProgress: (progress) => seen.push(progress.version) });
  await until(() => seen.length === 1);
  // Nothing is held in this gap.
  expect(service.heldCount).toBe(0);
  service.move(FIRST, { state: 'processing', percent: 50 });
  service.complete(FIRST);
  await handle.result;
  expect(seen).toEqual([1, 3]);
  expect(service.progressRequests.map((request) => request.versions[FIRST])).toEqual([0, 1]);
});

test('uploads that are added in the same tick share one request', async () => {
  for (const id of [FIRST, SECOND]) service.move(id, { state: 'queued' });
  const client = createClient();
  for (const id of [FIRST, SECOND]) client.watch(id);
  await until(() => service.heldCount === 1);
  expect(service.progressRequests.map((request) => request.versions)).toEqual([
    { [FIRST]: 0, [SECOND]: 0 },
    { [FIRST]: 1, [SECOND]: 1 },
  ]);
});

test('there is a pause between two requests', async () => {
  service.move(FIRST, { state: 'queued' });
  const handle = createClient().watch(FIRST, {
    onProgress: ({ percent }) => percent < 90 && service.move(FIRST, { state: 'processing', percent: percent + 30 }),
  });
  await until(() => service.uploads.get(FIRST)?.progress.percent === 90);
  service.complete(FIRST);
  await handle.result;
  for (const pauseMs of pausesMs()) expect(pauseMs).toBeGreaterThanOrEqual(GAP_MS - TIMER_EARLY_MS);
  expectOneAtATime();
});

test('a new upload replaces the held request', async () => {
  for (const id of [FIRST, SECOND]) service.move(id, { state: 'queued' });
  const client = createClient();
  client.watch(FIRST);
  await until(() => service.heldCount === 1);
  const seen: Progress[] = [];
  client.watch(SECOND, { onProgress: (progress) => seen.push(progress) });
  await until(() => seen.length === 1 && service.progressRequests[1]?.aborted === true);
  expect(service.progressRequests.map((request) => request.aborted)).toEqual([false, true, false]);
  expect(service.progressRequests[2]?.versions).toEqual({ [FIRST]: 1, [SECOND]: 0 });
  expectOneAtATime();
});

test('no request is held after the last upload has ended', async () => {
  service.move(FIRST, { state: 'queued' });
  service.move(SECOND, { state: 'queued' });
  const client = createClient();
  const handles = [FIRST, SECOND].map((id) => client.watch(id));
  await until(() => service.heldCount === 1);
  await Promise.all(handles.map((handle) => handle.cancel()));
  const count = asked.length;
  await until(() => service.heldCount === 0 && asked.every(({ endedAtMs }) => endedAtMs < Infinity));
  service.move(THIRD, { state: 'queued' });
  client.watch(THIRD);
  await until(() => asked.length === count + 2 && service.heldCount === 1);
  expect(asked.slice(count).map(({ versions }) => versions)).toEqual([{ [THIRD]: 0 }, { [THIRD]: 1 }]);
});

test('errors are reported, followed by growing pauses, and end with the next success', async () => {
  service.move(FIRST, { state: 'queued' });
  service.progressFaults.push(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 502 }) as const));
  const connected: boolean[] = [];
  const nextTriesMs: (number | undefined)[] = [];
  const client = createClient({
    onConnection(isConnected, nextTryMs) {
      connected.push(isConnected);
      nextTriesMs.push(nextTryMs);
    },
  });
  const handle = client.watch(FIRST);
  await until(() => service.heldCount === 1);
  service.complete(FIRST);
  await handle.result;
  // The first failure may concern only the held answer, so the request is repeated before an error is reported.
  expect(connected.slice(0, 3)).toEqual([false, false, true]);
  expect(nextTriesMs.slice(0, 3)).toEqual([expect.any(Number), expect.any(Number), undefined]);
  const pauses = pausesMs();
  // Half of 40, 80 and 160 is the least that jitter leaves.
  for (const [index, leastMs] of [20, 40, 80].entries())
    expect(pauses[index]).toBeGreaterThanOrEqual(leastMs - TIMER_EARLY_MS);
});

test('the request after a failure asks for an immediate answer, so that a recovery is noticed', async () => {
  service.move(FIRST, { state: 'queued' });
  const connected: boolean[] = [];
  const client = createClient({ onConnection: (isConnected) => connected.push(isConnected) });
  client.watch(FIRST);
  await until(() => service.heldCount === 1);
  service.progressFaults.push({ kind: 'silence', cutAfterMs: 0 }, { kind: 'silence', cutAfterMs: 0 });
  client.watch(SECOND);
  await until(() => connected.at(-1) === true && connected.includes(false));
  await until(() => service.heldCount === 1);
  // The first cut may concern only the hold. The second request was not held. Later requests have the full hold time
  // again.
  expect(service.progressRequests.slice(2).map(({ timeoutMs }) => timeoutMs > 0)).toEqual([true, false, false, true]);
  expect(service.progressRequests.at(-1)?.timeoutMs).toBe(25_000);
});

test('wake repeats the held request, which may use a dead connection', async () => {
  service.move(FIRST, { state: 'queued' });
  const client = createClient();
  client.watch(FIRST);
  await until(() => service.heldCount === 1);
  // A request that is younger than a second is left alone.
  let nowMs = asked.at(-1)?.atMs ?? 0;
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  client.wake();
  nowMs += 1100;
  client.wake();
  await until(() => service.progressRequests.length === 3 && service.progressRequests[1]?.aborted === true);
  expect(service.progressRequests.map((request) => request.aborted)).toEqual([false, true, false]);
  expectOneAtATime();
});

test('the queue position is requested again after a held request timed out', async () => {
  service.move(FIRST, { state: 'queued', queuePosition: 5 });
  const positions: (number | null)[] = [];
  createClient().watch(FIRST, { onProgress: ({ queuePosition }) => positions.push(queuePosition) });
  await until(() => service.heldCount === 1);
  // This is the same as when other uploads leave the queue: the version stays.
  const upload = service.uploads.get(FIRST);
  if (upload) upload.progress.queuePosition = 2;
  service.timeOut();
  await until(() => service.progressRequests.length === 4 && service.heldCount === 1);
  expect(service.progressRequests.map((request) => request.versions[FIRST])).toEqual([0, 1, 0, 1]);
  expect(positions).toEqual([5, 2]);
});

test('the next request waits for Retry-After', async () => {
  service.move(FIRST, { state: 'queued' });
  service.progressFaults.push({ kind: 'status', status: 503, retryAfter: '1' });
  createClient().watch(FIRST);
  await until(() => service.progressRequests.length === 2);
  expect(pausesMs()[0]).toBeGreaterThanOrEqual(1000 - TIMER_EARLY_MS);
});

test('cut requests shorten the hold time, down to immediate answers', async () => {
  service.move(FIRST, { state: 'queued' });
  const client = createClient({ holdMs: 200, pollMs: 80 });
  client.watch(FIRST);
  await until(() => service.heldCount === 1);
  service.progressFaults.push(...Array.from({ length: 2 }, () => ({ kind: 'silence', cutAfterMs: 210 }) as const));
  await until(() => service.progressRequests.some((request) => request.timeoutMs === 0));
  const seen: Progress[] = [];
  for await (const progress of client.watch(FIRST).progress) {
    seen.push(progress);
    if (!progress.final) service.complete(FIRST);
  }
  expect(seen.map((progress) => progress.version)).toEqual([1, 2]);
});

test('a lower version counts as a restored record', async () => {
  service.move(FIRST, { state: 'processing', percent: 60, version: 9 });
  const seen: Progress[] = [];
  createClient().watch(FIRST, { onProgress: (progress) => seen.push(progress) });
  await until(() => service.heldCount === 1);
  service.move(FIRST, { state: 'queued', percent: 30, version: 4 });
  await until(() => seen.length === 2);
  expect(seen.map(({ version, percent }) => [version, percent])).toEqual([
    [9, 60],
    [4, 60],
  ]);
  await until(() => service.heldCount === 1);
  expect(service.progressRequests.at(-1)?.versions).toEqual({ [FIRST]: 4 });
});

test('no more uploads are sent than can be watched', async () => {
  const client = createClient();
  const handles = Array.from({ length: 103 }, () => client.upload(new Blob(['x'])));
  await until(() => service.bytes.size === 100);
  await until(() => Object.keys(service.progressRequests.at(-1)?.versions ?? {}).length === 100);
  expect(handles.filter((handle) => handle.phase === 'waiting')).toHaveLength(3);
  for (const id of [...service.bytes.keys()].slice(0, 3)) service.complete(id);
  await until(() => service.bytes.size === 103);
  expect(Math.max(...service.progressRequests.map((request) => Object.keys(request.versions).length))).toBe(100);
  expectOneAtATime();
});
