import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createUploadClient, type UploadClient, type UploadClientOptions } from '../../../src/client/upload-client.ts';
import { problem } from './documents.ts';
import { FakeService } from './fake-service.ts';
import { until } from './until.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const PART = 10_000;

let service: FakeService;
let baseUrl: string;
let bytes: Buffer;
const clients: UploadClient[] = [];

beforeEach(async () => {
  service = new FakeService();
  baseUrl = await service.start();
  bytes = randomBytes(25_000);
  service.onStored = (id) => service.complete(id);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  return service.stop();
});

function createClient(options: UploadClientOptions = {}): UploadClient {
  const client = createUploadClient({
    baseUrl,
    gapMs: 20,
    firstRetryMs: 10,
    longestRetryMs: 40,
    resumableAboveBytes: 20_000,
    partBytes: PART,
    ...options,
  });
  clients.push(client);
  return client;
}

function film(): Blob {
  return new Blob([new Uint8Array(bytes)], { type: 'video/mp4' });
}

function expectArrived(id: string): void {
  expect(service.bytes.get(id)?.equals(bytes)).toBe(true);
}

test('a large file is sent in parts with its id, name and options', async () => {
  const handle = createClient().upload(film(), { name: 'Straße.mp4', options: { columns: 3 } });
  expect((await handle.result).state).toBe('completed');
  expectArrived(handle.id);
  expect(service.tus.requests).toEqual(['POST', 'PATCH 0', 'PATCH 10000', 'PATCH 20000']);
  expect(service.tus.metadata.get(handle.id)).toEqual({
    uploadId: handle.id,
    filename: 'Straße.mp4',
    options: '{"columns":3}',
  });
});

test('a small file is sent in one request', async () => {
  await createClient({ resumableAboveBytes: 25_000 }).upload(film()).result;
  expect(service.tus.requests).toEqual([]);
});

describe('resumed transfer', () => {
  test('sends no received byte again after the connection broke in the middle of a part', async () => {
    service.tus.patchFaults.push({ kind: 'cut', afterBytes: 4000 });
    const handle = createClient().upload(film());
    await handle.result;
    expectArrived(handle.id);
    expect(service.tus.requests).toEqual(['POST', 'PATCH 0', 'HEAD 4000', 'PATCH 4000', 'PATCH 14000', 'PATCH 24000']);
  });

  test('creates no second upload after the answer to the creation was lost', async () => {
    service.tus.lostCreations = 1;
    const handle = createClient().upload(film());
    await handle.result;
    expect(service.tus.requests.slice(0, 3)).toEqual(['POST', 'HEAD 0', 'PATCH 0']);
  });

  test('sends nothing again after the answer to the last part was lost', async () => {
    service.tus.patchFaults.push(
      { kind: 'status', status: 423 },
      { kind: 'status', status: 503 },
      { kind: 'lose-answer' },
    );
    const handle = createClient({ partBytes: 25_000 }).upload(film());
    expect((await handle.result).state).toBe('completed');
    expect(service.tus.requests.filter((line) => line.startsWith('PATCH'))).toHaveLength(3);
  });

  test('continues in another page where the closed one stopped', async () => {
    service.tus.patchFaults.push({ kind: 'cut', afterBytes: 4000 });
    const client = createClient({ firstRetryMs: 5000, longestRetryMs: 5000 });
    client.upload(film(), { id: ID });
    await until(() => service.tus.offsetOf(ID) === 4000);
    client.close();
    service.tus.requests.length = 0;
    const handle = createClient().upload(film(), { id: ID });
    await handle.result;
    expectArrived(ID);
    expect(service.tus.requests[0]).toBe('HEAD 4000');
    expect(service.tus.requests[1]).toBe('PATCH 4000');
  });
});

test('an upload that has ended in the meantime is not sent again', async () => {
  service.move(ID, { state: 'receiving' });
  service.fail(ID, problem('unsupported_media_type', 415, 'This is text.'));
  service.tus.headStatuses.push(410);
  const handle = createClient().upload(film(), { id: ID });
  await expect(handle.result).rejects.toMatchObject({ code: 'unsupported_media_type' });
  expect(service.tus.requests).toEqual(['HEAD unknown']);
});

test('a 409 without a problem document, which the service never sends, is not retried', async () => {
  service.tus.patchFaults.push({ kind: 'status', status: 409 });
  await expect(createClient().upload(film()).result).rejects.toMatchObject({ status: 409, code: 'http_409' });
});

describe('pause', () => {
  test('stops the transfer, lets others go first, and continues where it stopped', async () => {
    const gate = openable();
    service.tus.patchGate = gate.promise;
    const client = createClient({ sendAtOnce: 1 });
    const phases: string[] = [];
    const first = client.upload(film(), { onPhase: (phase) => phases.push(phase) });
    const second = client.upload(new Blob(['x']));
    await until(() => (service.tus.offsetOf(first.id) ?? 0) > 0);
    expect(first.pause()).toBe(true);
    gate.open();
    await second.result;
    const before = service.tus.requests.length;
    expect([first.phase, first.resume(), first.resume()]).toEqual(['paused', true, false]);
    await first.result;
    expectArrived(first.id);
    expect(service.tus.requests[before]).toMatch(/^HEAD [1-9]/);
    expect(phases).toEqual(['sending', 'paused', 'waiting', 'sending', 'following', 'over']);
  });

  test('of a small file sends it again under the same id', async () => {
    const gate = openable();
    service.putGate = gate.promise;
    const handle = createClient().upload(new Blob(['abc']));
    await until(() => service.uploads.has(handle.id));
    handle.pause();
    await until(() => service.heldCount === 0);
    gate.open();
    expect(handle.resume()).toBe(true);
    expect((await handle.result).id).toBe(handle.id);
  });

  test('before the start sends nothing', async () => {
    const client = createClient();
    const handle = client.upload(film(), { paused: true });
    expect(handle.phase).toBe('paused');
    // An upload that was added later goes first.
    await client.upload(new Blob(['x'])).result;
    expect([service.tus.requests, service.requests.filter((line) => line.includes(handle.id))]).toEqual([[], []]);
    handle.resume();
    await handle.result;
  });

  test('is ended by a cancel', async () => {
    service.tus.patchGate = new Promise(() => undefined);
    const handle = createClient().upload(film());
    await until(() => (service.tus.offsetOf(handle.id) ?? 0) > 0);
    handle.pause();
    await handle.cancel();
    await expect(handle.result).rejects.toMatchObject({ code: 'upload_cancelled' });
    expect(service.uploads.get(handle.id)?.state).toBe('cancelled');
  });

  test('does nothing if the server already has all bytes', async () => {
    service.onStored = () => undefined;
    const handle = createClient().upload(film());
    await until(() => handle.phase === 'following');
    expect([handle.pause(), handle.resume()]).toEqual([false, false]);
  });
});

function openable(): { promise: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
