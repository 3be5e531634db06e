import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  createUploadClient,
  type UploadClient,
  type UploadClientOptions,
  UploadError,
} from '../../../src/client/upload-client.ts';
import { listen } from '../../helpers/listen.ts';
import { problem } from './documents.ts';
import { FakeService } from './fake-service.ts';
import { until } from './until.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const DAMAGED = problem('file_damaged', 422, 'The picture is cut short.');

let service: FakeService;
let baseUrl: string;
const clients: UploadClient[] = [];

beforeEach(async () => {
  service = new FakeService();
  baseUrl = await service.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await service.stop();
});

function createClient(options: UploadClientOptions = {}): UploadClient {
  const client = createUploadClient({ baseUrl, gapMs: 20, firstRetryMs: 10, longestRetryMs: 40, ...options });
  clients.push(client);
  return client;
}

const PHOTO = new Blob([new Uint8Array(1000)], { type: 'image/jpeg' });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  return error instanceof UploadError ? error.code : 'no error';
}

function isCancel(url: Parameters<typeof fetch>[0]): boolean {
  return typeof url === 'string' && url.endsWith('/cancel');
}

/** Returns an address at which nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

describe('retry', () => {
  test('sends a failed file again under another id, with the same listeners', async () => {
    service.onStored = (id) => service.fail(id, DAMAGED);
    const phases: string[] = [];
    const first = createClient().upload(PHOTO, { onPhase: (phase) => phases.push(phase) });
    expect(await codeOf(first.result)).toBe('file_damaged');
    service.onStored = (id) => service.complete(id);
    const second = first.retry();
    await second?.result;
    expect(second?.id).not.toBe(first.id);
    expect(phases.filter((phase) => phase === 'over')).toHaveLength(2);
    expect(first.retry()).toBe(second);
  });

  test('keeps the id if the outcome on the server is unknown', async () => {
    service.onStored = (id) => service.complete(id);
    service.putFaults.push({ kind: 'status', status: 503, retryAfter: '60' });
    const first = createClient({ giveUpAfterMs: 30_000 }).upload(PHOTO);
    expect(await codeOf(first.result)).toBe('service_unavailable');
    const second = first.retry();
    expect((await second?.result)?.id).toBe(first.id);
  });

  test('returns null for an upload that runs, is completed, or was only watched', async () => {
    service.onStored = (id) => service.complete(id);
    const client = createClient();
    const upload = client.upload(PHOTO);
    expect(upload.retry()).toBeNull();
    await upload.result;
    expect(upload.retry()).toBeNull();
    service.fail(ID, DAMAGED);
    const watched = client.watch(ID);
    await codeOf(watched.result);
    expect(watched.retry()).toBeNull();
  });

  test('is cancelled by the signal of the first upload', async () => {
    service.onStored = (id) => service.fail(id, DAMAGED);
    const cancelling = new AbortController();
    const first = createClient().upload(PHOTO, { signal: cancelling.signal });
    await codeOf(first.result);
    service.onStored = () => undefined;
    const second = first.retry();
    cancelling.abort();
    expect(await codeOf(second?.result ?? Promise.resolve())).toBe('upload_cancelled');
  });
});

describe('delete', () => {
  test('removes a completed upload, and resolves again if nothing is left', async () => {
    service.onStored = (id) => service.complete(id);
    const upload = createClient().upload(PHOTO);
    await upload.result;
    await upload.delete();
    expect(service.uploads.has(upload.id)).toBe(false);
    await upload.delete();
  });

  test('cancels an upload that is not over', async () => {
    const upload = createClient().upload(PHOTO);
    await until(() => upload.phase === 'following');
    await upload.delete();
    expect(await codeOf(upload.result)).toBe('upload_cancelled');
    expect(service.uploads.has(upload.id)).toBe(false);
  });

  test('sends nothing for a file of which no byte was sent', async () => {
    const upload = createClient().upload(PHOTO, { paused: true });
    await upload.delete();
    expect(service.requests).toEqual([]);
  });

  test('rejects if the server cannot be reached', async () => {
    const client = createClient({ baseUrl: await deadAddress(), giveUpAfterMs: 0 });
    expect(await codeOf(client.watch(ID).delete())).toBe('connection_lost');
  });
});

describe('close', () => {
  test('ends the retries of a cancel', async () => {
    let cancels = 0;
    const client = createClient({
      fetch: async (url, init) => {
        if (!isCancel(url)) return await fetch(url, init);
        cancels += 1;
        throw new TypeError('Failed to fetch');
      },
    });
    const upload = client.upload(PHOTO);
    await until(() => upload.phase === 'following');
    const cancelled = upload.cancel();
    await until(() => cancels > 2);
    client.close();
    await cancelled;
    const sent = cancels;
    await createClient().limits();
    expect(cancels).toBe(sent);
  });

  test('does not stop the retries of a later cancel', async () => {
    let cancels = 0;
    const client = createClient({
      fetch: async (url, init) => {
        if (isCancel(url) && (cancels += 1) < 3) throw new TypeError('Failed to fetch');
        return await fetch(url, init);
      },
    });
    client.close();
    const upload = client.upload(PHOTO);
    await until(() => upload.phase === 'following');
    await upload.cancel();
    expect(service.uploads.get(upload.id)?.state).toBe('cancelled');
  });
});

test('onPhase reports why a script cannot reach the server', async () => {
  const reasons: (string | undefined)[] = [];
  const client = createClient({ baseUrl: await deadAddress(), giveUpAfterMs: 50 });
  const upload = client.upload(PHOTO, { onPhase: (_phase, reason) => reasons.push(reason?.detail) });
  expect(await codeOf(upload.result)).toBe('connection_lost');
  expect(reasons).toContain('The server could not be reached (ECONNREFUSED). Check the connection and try again.');
});

test('onConnection reports why progress requests fail', async () => {
  const reports: [boolean, string | undefined][] = [];
  service.move(ID, { state: 'queued' });
  service.progressFaults.push({ kind: 'status', status: 503 });
  const client = createClient({
    onConnection: (connected, _nextTryMs, reason) => reports.push([connected, reason?.code]),
  });
  client.watch(ID);
  await until(() => reports.length > 1);
  expect(reports.slice(0, 2)).toEqual([
    [false, 'service_unavailable'],
    [true, undefined],
  ]);
});

test.each([{ 'X-Gateway': 'key' }, async () => ({ 'X-Gateway': 'key' })])(
  'headers %p go with every request',
  async (headers) => {
    service.onStored = (id) => service.complete(id);
    const client = createClient({ headers });
    await client.upload(PHOTO).result;
    await client.limits();
    expect(service.headers.map((sent) => sent['x-gateway'])).toEqual(service.headers.map(() => 'key'));
    expect(service.headers.length).toBeGreaterThan(1);
  },
);

test.each([
  [new TypeError('Failed to fetch'), 'connection_lost'],
  [new Error('signed out'), 'ticket_unavailable'],
])('a function for headers that throws %p ends a request with %s', async (thrown, code) => {
  const headers = (): Record<string, string> => {
    throw thrown;
  };
  expect(await codeOf(createClient({ headers, giveUpAfterMs: 0 }).limits())).toBe(code);
  expect(service.requests).toEqual([]);
});

test('limits() reads them with the ticket of the client', async () => {
  const limits = await createClient({ ticket: () => 'signed' }).limits();
  expect(limits.maxFileBytes).toBe(1000);
  expect(service.headers[0]?.authorization).toBe('Bearer signed');
});
