import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Progress } from '../../src/wire/documents.ts';
import { createUploadClient, type UploadClient, type UploadClientOptions } from '../../src/client/upload-client.ts';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { type Service, startService } from '../helpers/service.ts';
import { offsetOf } from '../helpers/tus-requests.ts';
import { sha256 } from '../helpers/tus-service.ts';

let service: Service;
let link: Link;
let bytes: Buffer;
const clients: UploadClient[] = [];

beforeAll(async () => {
  [bytes, service] = await Promise.all([photo({ width: 1600, height: 1200 }), startService()]);
});

afterAll(() => service.stop());

beforeEach(async () => {
  link = await Link.open(service.url);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await link.close();
});

/** Creates a client that sends parts of about an eighth of the picture. */
function createClient(options: UploadClientOptions = {}): UploadClient {
  const client = createUploadClient({
    baseUrl: link.url,
    resumableAboveBytes: 100_000,
    partBytes: Math.ceil(bytes.length / 8),
    firstRetryMs: 50,
    longestRetryMs: 200,
    ...options,
  });
  clients.push(client);
  return client;
}

function picture(): Blob {
  return new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' });
}

/**
 * Checks that the stored bytes are the sent ones, that there was one attempt, and that the progress never went back.
 */
async function expectWhole(upload: ReturnType<UploadClient['upload']>, percents: readonly number[]): Promise<void> {
  const { state, file, progress } = await upload.result;
  expect([state, file.sha256, progress.attempt]).toEqual(['completed', sha256(bytes), 1]);
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(percents.at(-1)).toBe(100);
}

function recordInto(percents: number[]): { onProgress: (progress: Progress) => void } {
  return { onProgress: ({ percent }) => void percents.push(percent) };
}

describe('a file that is sent in parts', () => {
  test('continues at its offset after the connection broke during a part', async () => {
    const percents: number[] = [];
    // Headers count too, so the cut is in the fourth part.
    const broken = new Promise<void>((resolve) => link.cutAfter(Math.floor(bytes.length * 0.45), resolve));
    const upload = createClient().upload(picture(), { name: 'ü.jpg', ...recordInto(percents) });
    await broken;
    expect(
      await eventually('the offset of what came', async () => {
        const offset = await offsetOf(service.url, upload.id);
        return typeof offset === 'number' && offset > 0 && offset;
      }),
    ).toBeLessThan(bytes.length);
    link.repair();
    await expectWhole(upload, percents);
  });

  test('does not continue while it is paused, even for another client', async () => {
    const percents: number[] = [];
    const phases: string[] = [];
    const first = createClient();
    const upload = first.upload(picture(), {
      onProgress: ({ bytes: { received } }) => received > 0 && upload.pause(),
      onPhase: (phase) => phases.push(phase),
    });
    await eventually('a pause, or the end', () => phases.includes('paused') || phases.includes('over'));
    const offset = await offsetOf(service.url, upload.id);
    first.close();
    const second = createClient().upload(picture(), { id: upload.id, ...recordInto(percents) });
    await expectWhole(second, percents);
    expect(offset).toBeGreaterThan(0);
  });
});

test('a client misses no change when an API process is replaced during a held poll', async () => {
  const [worker] = service.workers;
  await worker?.end();
  const percents: number[] = [];
  const connected: boolean[] = [];
  const client = createClient({ onConnection: (isConnected) => connected.push(isConnected) });
  const upload = client.upload(picture(), recordInto(percents));
  await eventually('the queue', () => upload.phase === 'following');
  const [api] = service.apis;
  link.cut();
  await api?.end();
  const successor = await service.addApi();
  link.retarget(successor.url);
  link.repair();
  await eventually('the connection', () => connected.at(-1) === true);
  await service.addWorker();
  await expectWhole(upload, percents);
});
