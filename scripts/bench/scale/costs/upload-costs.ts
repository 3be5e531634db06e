import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { photo, type PhotoOptions } from '../../../../test/helpers/pictures.ts';
import type { Child } from '../../lib/child.ts';
import type { Session } from '../../lib/session.ts';
import { sum } from '../../lib/statistics.ts';
import type { RedisMeter } from '../lib/redis-meter.ts';
import { eachAtOnce } from '../../lib/at-once.ts';
import { HELD_PUT, startFront, type HttpFront } from '../throughput/http.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';
import type { ConnectionCount, UploadCost } from './costs.ts';

const SETTINGS = { EVENT_BUS: 'targeted' };
const PHOTOS = { count: 24, atOnce: 4, warmUp: 8 };
/** The load of small files. There are enough of them at the same time to keep Redis and the API busy. */
const SMALL = { count: 3000, atOnce: 64, warmUp: 3000, bytes: 1000 };
const IDLE_MS = 2000;
const PHONE: PhotoOptions = {
  width: 4000,
  height: 3000,
  orientation: 1,
  profile: 'srgb',
  seed: 1,
  exif: {
    make: 'Acme',
    model: 'One',
    date: '2026:03:13 18:04:11',
    offset: '+01:00',
    lens: 'One back camera',
    iso: '64',
    gps: true,
  },
};

/** Measures with one API process and one worker. Each upload is answered when its result is ready. */
export interface MeasuredUploads {
  photo: UploadCost;
  small: UploadCost;
  connections: ConnectionCount;
}

/** Measures the cost of a photo, which is processed, and of a small file, which is not. */
export async function measureUploads(session: Session, meter: RedisMeter): Promise<MeasuredUploads> {
  const alone = await meter.connections();
  const front = await startFront(session, [], SETTINGS);
  const withApi = await meter.connections();
  const photoBytes = await photo(PHONE);
  const noop = await startWorker(session, { concurrency: 10, digests: false });
  const small = await measure({ session, front, meter, worker: noop }, SMALL, SMALL.bytes, (load) =>
    sendSmall(front, load),
  );
  const withWorker = await meter.connections();
  await noop.end();
  const real = await startWorker(session, { concurrency: 1, digests: true });
  const large = await measure({ session, front, meter, worker: real }, PHOTOS, photoBytes.length, (load) =>
    sendAll(front.port, photoBytes, load),
  );
  await Promise.all([front.api.end(), front.sender.end(), real.end()]);
  return { photo: large, small, connections: { api: withApi - alone, worker: withWorker - withApi } };
}

async function startWorker(
  session: Session,
  kind: { concurrency: number; digests: boolean },
): Promise<Child<WorkerQuestions>> {
  const { redisUrl, directory } = session;
  const worker = session.start<WorkerQuestions>('../scale/children/worker');
  await worker.ask('start', { redisUrl, directory, settings: SETTINGS, ...kind });
  return worker;
}

/** The measured processes. */
interface Measured {
  session: Session;
  front: HttpFront;
  meter: RedisMeter;
  worker: Child<WorkerQuestions>;
}

interface Load {
  count: number;
  atOnce: number;
}

/** Measures the cost of one upload. The idle cost of the processes is subtracted, because a few photos take long. */
async function measure(
  measured: Measured,
  load: Load & { warmUp: number },
  bytesIn: number,
  send: (load: Load) => Promise<void>,
): Promise<UploadCost> {
  const { session, meter } = measured;
  await send({ ...load, count: load.warmUp });
  const idle = await spentIn(measured, () => delay(IDLE_MS));
  const storedBefore = await bytesBelow(session.directory);
  const busy = await spentIn(measured, () => send(load));
  const events = await meter.calls('xadd');
  const cost = (of: (spent: Spent) => number) => Math.max(0, of(busy) - (of(idle) / idle.ms) * busy.ms) / load.count;
  return {
    bytesIn,
    bytesMade: ((await bytesBelow(session.directory)) - storedBefore) / load.count - bytesIn,
    apiUs: cost(({ apiUs }) => apiUs),
    workerUs: cost(({ workerUs }) => workerUs),
    redisUs: cost(({ redisUs }) => redisUs),
    recordBytes: await meter.newestRecordBytes(),
    events: events / load.count,
  };
}

interface Spent {
  ms: number;
  apiUs: number;
  workerUs: number;
  redisUs: number;
}

async function spentIn({ front, meter, worker }: Measured, work: () => Promise<void>): Promise<Spent> {
  const [apiUs, workerUs, startedMs] = [await front.api.ask('cpuUs'), await worker.ask('cpuUs'), performance.now()];
  await meter.begin();
  await work();
  const redisUs = await meter.cpuUs();
  const ms = performance.now() - startedMs;
  return {
    ms,
    redisUs,
    apiUs: (await front.api.ask('cpuUs')) - apiUs,
    workerUs: (await worker.ask('cpuUs')) - workerUs,
  };
}

async function sendSmall({ sender, port }: HttpFront, { count, atOnce }: Load): Promise<void> {
  await sender.ask('send', {
    port,
    form: 'put',
    path: HELD_PUT,
    bytes: SMALL.bytes,
    files: count,
    connections: atOnce,
  });
}

async function sendAll(port: number, bytes: Buffer, { count, atOnce }: Load): Promise<void> {
  await eachAtOnce(count, atOnce, async () => {
    const address = `http://127.0.0.1:${port}${HELD_PUT.replace('{id}', randomUUID())}`;
    const answer = await fetch(address, { method: 'PUT', body: new Uint8Array(bytes) });
    if (answer.status !== 200) throw new Error(`answered with ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  });
}

/** Returns the size of all files below a directory in bytes, including manifests. */
async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sum(sizes);
}
