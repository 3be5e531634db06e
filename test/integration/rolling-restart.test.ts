import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { createUploadClient, type UploadClient } from '../../src/client/upload-client.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { createTus } from '../helpers/tus-requests.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

/** No hold ends by its own time during the test. */
const HOLD_MS = 3_600_000;
const LONG_HOLDS = { DEFERRED_MAX_TIMEOUT_MS: String(HOLD_MS) };
const LANES = 3;
/** Processes of each kind after the scale-out. */
const FLEET = 4;

let service: Service;
let balancer: Balancer;
/** The balancer of the polls, which have connections of their own. */
let pollBalancer: Balancer;
let bytes: Buffer;

beforeAll(async () => {
  [service, bytes] = await Promise.all([startService({ env: LONG_HOLDS }), photo({ width: 400, height: 300 })]);
  [balancer, pollBalancer] = await Promise.all([startBalancer(service.urls), startBalancer(service.urls)]);
});

afterAll(async () => {
  await Promise.all([balancer.stop(), pollBalancer.stop()]);
  await service.stop();
});

/** Polls by their request ids: the answered ones, and the repeated ones. */
const answered: string[] = [];
const resent: string[] = [];

/**
 * Sends a poll, and repeats it if its connection was closed before an answer came, as browsers do: an idle connection
 * may be cut just when it is used again. No repeated poll may have reached a process before.
 */
async function poll(url: string, init: RequestInit = {}): Promise<Response> {
  const requestId = randomUUID();
  const headers = new Headers(init.headers);
  headers.set('X-Request-Id', requestId);
  try {
    const response = await fetch(url, { ...init, headers });
    answered.push(requestId);
    return response;
  } catch (error) {
    if (init.signal?.aborted === true || !isClosed(error)) throw error;
    resent.push(requestId);
    return await fetch(url, init);
  }
}

function isClosed(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'UND_ERR_SOCKET' || cause.code === 'ECONNRESET');
}

/** Returns the polls that a process has received, by its log. */
function received(polls: readonly string[]): string[] {
  const logs = service.apis.map((api) => api.output());
  return polls.filter((id) => logs.some((log) => log.includes(id)));
}

/** Makes a fetch that records failed requests for progress, except requests that the client has aborted. */
function watchedFetch(): { fetch: typeof fetch; polls: () => number; failed: string[] } {
  const failed: string[] = [];
  let polls = 0;
  return {
    failed,
    polls: () => polls,
    async fetch(input: string | URL | Request, init?: RequestInit) {
      const url = input instanceof Request ? input.url : String(input);
      const isPoll = url.includes('/progress');
      if (isPoll) polls += 1;
      try {
        const response = isPoll
          ? await poll(url.replace(balancer.url, pollBalancer.url), init)
          : await fetch(url, init);
        if (isPoll && !response.ok) failed.push(`${response.status} ${await response.clone().text()}`);
        return response;
      } catch (error) {
        if (isPoll && init?.signal?.aborted !== true)
          failed.push(String(error instanceof Error ? (error.cause ?? error) : error));
        throw error;
      }
    },
  };
}

/** Sends one file after the other until it is stopped. Each upload gets its outcome. */
async function keepSending(
  client: UploadClient,
  isOver: () => boolean,
  ended: Upload[],
  percents: number[][],
): Promise<void> {
  while (!isOver()) {
    const seen: number[] = [];
    percents.push(seen);
    const upload = client.upload(new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), {
      name: 'a.jpg',
      onProgress: ({ percent }) => seen.push(percent),
    });
    ended.push(await upload.result);
  }
}

/** Polls one upload that does not change, again and again, each time with a short hold. Returns the failures. */
async function keepPolling(
  id: string,
  isOver: () => boolean,
  headers: Record<string, string>,
): Promise<{ polls: number; failed: string[] }> {
  const failed: string[] = [];
  let polls = 0;
  while (!isOver()) {
    polls += 1;
    try {
      const response = await poll(`${pollBalancer.url}/uploads/${id}/progress?since=1&timeout=150`, { headers });
      const { status } = response;
      const body = (await response.json()) as Progress & { code?: string };
      if (status !== 200 || body.state !== 'receiving') failed.push(`${status} ${body.code ?? body.state}`);
    } catch (error) {
      failed.push(String(error instanceof Error ? (error.cause ?? error) : error));
    }
  }
  return { polls, failed };
}

/** Starts processes until there are `FLEET` of each kind. All processes serve under load then. */
async function scaleOut(): Promise<void> {
  const more = Array.from({ length: FLEET - 1 });
  await Promise.all([...more.map(() => service.addApi()), ...more.map(() => service.addWorker())]);
  retarget(service.apis);
  await eventually('every process to serve', async () => {
    const { body } = await getJson<{ workers: number }>(`${service.url}/readyz`);
    return body.workers === FLEET && service.apis.every((api) => answered.some((id) => api.output().includes(id)));
  });
}

/**
 * Ends all processes but the last of each kind at once, as in a rolling restart. The load balancer changes before the
 * processes get their signal.
 */
async function scaleIn(): Promise<void> {
  retarget(service.apis.slice(-1));
  const leaving = [...service.apis.slice(0, -1), ...service.workers.slice(0, -1)];
  expect(await Promise.all(leaving.map((process) => process.end('SIGTERM')))).toEqual(leaving.map(() => 0));
}

function retarget(apis: readonly ServiceProcess[]): void {
  for (const each of [balancer, pollBalancer]) each.retarget(apis.map(({ url }) => url));
}

test('no poll fails and no upload is lost from 1 to 4 to 1 API and worker processes under load', async () => {
  const { fetch, polls, failed } = watchedFetch();
  const lost: boolean[] = [];
  const client = createUploadClient({
    baseUrl: balancer.url,
    fetch,
    onConnection: (connected) => void (connected || lost.push(connected)),
  });
  const ended: Upload[] = [];
  const percents: number[][] = [];
  let isOver = false;
  const lanes = Array.from({ length: LANES }, () => keepSending(client, () => isOver, ended, percents));
  const still = await createTus(balancer.url, { 'Upload-Length': '1000' });
  // One poller opens a connection for each poll, so that new processes get some polls. The other pollers keep their
  // connections.
  const pollers = [{ Connection: 'close' }, {}, {}].map((headers) => keepPolling(still, () => isOver, headers));
  for (const change of [scaleOut, scaleIn, async () => undefined]) {
    const done = ended.length;
    await eventually('the load to flow', () => ended.length >= done + LANES);
    await change();
  }
  isOver = true;
  await Promise.all(lanes);
  client.close();
  const polled = await Promise.all(pollers);
  expect(Math.min(polls(), ...polled.map((poller) => poller.polls))).toBeGreaterThan(LANES);
  expect([failed, lost, polled.flatMap((poller) => poller.failed)]).toEqual([[], [], []]);
  await eventually('the log of every answered poll', () => received(answered).length === answered.length);
  expect(received(resent)).toEqual([]);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  expect(ended.filter(({ state, file }) => state !== 'completed' || file.sha256 !== sha256)).toEqual([]);
  expect(percents.filter((seen) => seen.join() !== seen.toSorted((a, b) => a - b).join())).toEqual([]);
  for (const { id } of ended)
    expect((await getJson<Upload>(`${balancer.url}/uploads/${id}`)).body.state).toBe('completed');
});

test('held responses are answered when their process gets SIGTERM, not when their time is up', async () => {
  const api = service.apis.find(({ child }) => child.exitCode === null) ?? (await service.addApi());
  await Promise.all(service.workers.map((worker) => worker.end()));
  const { body } = await putFile<Upload>(api.url, crypto.randomUUID(), bytes, 'a.jpg');
  const held = Array.from({ length: 50 }, () =>
    getJson<Progress>(`${api.url}/uploads/${body.id}/progress?since=${body.version}&timeout=${HOLD_MS}`),
  );
  await eventually(
    'all to be held',
    async () => heldInMetrics(await (await fetch(`${api.url}/metrics`)).text()) === 50,
  );
  const ended = api.end('SIGTERM');
  const answers = await Promise.all(held);
  expect(
    answers.filter(
      ({ status, headers, body: progress }) =>
        status !== 200 ||
        headers.get('connection') !== 'close' ||
        !progress.timedOut ||
        progress.version !== body.version,
    ),
  ).toEqual([]);
  expect(await ended).toBe(0);
});

/** Starts a process that holds a poll. */
async function holding(delayMs: number): Promise<{ api: ServiceProcess; id: string; answer: Promise<Progress> }> {
  const api = await service.addApi({ SHUTDOWN_DELAY_MS: String(delayMs) });
  const id = await createTus(api.url, { 'Upload-Length': '1000' });
  const answer = getJson<Progress>(`${api.url}/uploads/${id}/progress?since=1&timeout=${HOLD_MS}`).then(
    ({ body }) => body,
  );
  await eventually('it to be held', async () => heldInMetrics(await (await fetch(`${api.url}/metrics`)).text()) === 1);
  return { api, id, answer };
}

test('a process that gets SIGTERM answers /readyz with 503 and serves until load balancers have noticed', async () => {
  const { api, id, answer } = await holding(600_000);
  api.child.kill('SIGTERM');
  await eventually(
    '/readyz to say so',
    async () => (await getJson<Problem>(`${api.url}/readyz`)).body.code === 'shutting_down',
  );
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  expect((await putFile<Upload>(api.url, crypto.randomUUID(), bytes, 'a.jpg')).status).toBe(202);
  await fetch(`${api.url}/uploads/${id}/cancel`, { method: 'POST' });
  expect(await answer).toMatchObject({ state: 'cancelled', timedOut: false });
  await api.end('SIGKILL');
});

test('after the shutdown delay a process answers its held responses and ends', async () => {
  const { api, answer } = await holding(100);
  const ended = api.end('SIGTERM');
  expect(await answer).toMatchObject({ state: 'receiving', timedOut: true });
  expect(await ended).toBe(0);
});
