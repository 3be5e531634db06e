import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { closeConnection, openWaitingConnection, type Redis } from '../../../src/queue/connection.ts';
import { OTHER_KIND } from '../../../src/queue/contract.ts';
import { UploadQueue } from '../../../src/queue/upload-queue.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import type { RunProcessor } from '../../../workers/processors.ts';
import { WORKER_TIMING } from '../../../workers/worker-timing.ts';
import { UploadWorker } from '../../../workers/worker.ts';
import {
  newUpload,
  openRecordSpace,
  RESULT,
  silentLog,
  uploadIn,
  type RecordSpace,
} from '../../helpers/record-space.ts';
import { overriding } from '../../helpers/overriding.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { eventually } from '../../helpers/eventually.ts';

let space: RecordSpace;
let temp: TempStorage;
let connection: Redis;
let queue: UploadQueue;
const workers: UploadWorker[] = [];

beforeEach(async () => {
  [space, temp] = await Promise.all([openRecordSpace(await sharedRedis()), openTempStorage()]);
  connection = openWaitingConnection(await sharedRedis(), silentLog);
  queue = new UploadQueue(connection, space.keys, silentLog);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(workers.splice(0).map((worker) => worker.close(0)));
  await queue.close();
  await closeConnection(connection);
  await Promise.all([space.close(), temp.remove()]);
});

async function startWorker(
  run: RunProcessor,
  {
    abandonedCalls = (): number => 0,
    onUnresponsive = (): void => undefined,
    records = space.records,
    concurrency = 2,
  } = {},
): Promise<UploadWorker> {
  const processors = { find: (type: string) => ({ kind: 'picture', types: [type], run }) };
  const worker = new UploadWorker({
    connection,
    keys: space.keys,
    queue,
    kinds: ['picture', 'table'],
    concurrency,
    records,
    storage: temp.storage,
    processors,
    log: silentLog,
    runIsolated: run,
    checkStorage: async () => undefined,
    attemptTimeoutMs: 60_000,
    abortGraceMs: 5_000,
    timing: WORKER_TIMING,
    abandonedCalls,
    onUnresponsive,
  });
  workers.push(worker);
  await worker.start();
  return worker;
}

/** Creates an upload that waits, with its bytes and a permit. */
async function waiting(): Promise<string> {
  const upload = newUpload();
  // The bytes come first, because the permit of another upload may choose this one as soon as it is queued.
  await putObject(temp.storage, originalKey(upload.id, upload.fencingToken), Buffer.from('bytes'));
  await uploadIn(space.records, 'queued', upload);
  await queue.add(OTHER_KIND);
  return upload.id;
}

/** Resolves with the record when the condition holds. */
async function until(id: string, isWanted: (record: UploadRecord) => boolean): Promise<UploadRecord> {
  return await eventually(`the record of ${id} to change`, async () => {
    const record = (await space.records.read(id))?.record;
    return record !== undefined && isWanted(record) && record;
  });
}

/** Resolves once no job is left in any state. */
async function untilNoJobs(): Promise<void> {
  await eventually('no job to be left', async () => {
    const { waiting: waits, active, delayed } = await queue.counts();
    return waits + active + delayed === 0;
  });
}

/** A processor that works until it is stopped. */
const endless: RunProcessor = async ({ signal }) =>
  await new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

describe('a worker', () => {
  test('takes jobs and leaves none in the queue', async () => {
    await startWorker(async () => RESULT);
    const ids = await Promise.all([waiting(), waiting(), waiting()]);
    for (const id of ids) expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ attempt: 1 });
    await untilNoJobs();
  });

  test('stops a cancelled upload that it runs, and nothing else', async () => {
    const worker = await startWorker(endless);
    const [first, second] = await Promise.all([waiting(), waiting()]);
    await until(first, ({ state }) => state === 'processing');
    await until(second, ({ state }) => state === 'processing');
    await space.records.cancel(first);
    worker.cancel(first);
    worker.cancel('an unknown upload');
    await eventually('one running job', async () => (await queue.counts()).active === 1);
    expect((await space.records.read(second))?.record.state).toBe('processing');
  });

  test('that may have missed a cancel stops only uploads that another worker has taken', async () => {
    const worker = await startWorker(endless);
    const [first, second] = await Promise.all([waiting(), waiting()]);
    await until(first, ({ state }) => state === 'processing');
    await until(second, ({ state }) => state === 'processing');
    await space.records.cancel(first);
    worker.stopLostAttempts();
    await eventually('one running job', async () => (await queue.counts()).active === 1);
    expect((await space.records.read(second))?.record).toMatchObject({ state: 'processing', attempt: 1 });
  });

  test('that reads the records before it knows its attempt stops an upload that has ended meanwhile', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const records = overriding(space.records, {
      async take(permit) {
        const taken = await space.records.take(permit);
        await released;
        return taken;
      },
    });
    let runs = 0;
    const worker = await startWorker(
      async (context, hooks) => {
        runs += 1;
        return await endless(context, hooks);
      },
      { records },
    );
    const id = await waiting();
    await until(id, ({ state }) => state === 'processing');
    await space.records.cancel(id);
    worker.stopLostAttempts();
    // The worker has read the record before this read.
    await space.records.read(id);
    release();
    await untilNoJobs();
    expect(runs).toBe(0);
  });

  test('tries an upload again after a fault, at a time by the clock of Redis, without a delay of BullMQ', async () => {
    let faults = 0;
    let seen = 0;
    const records = overriding(space.records, {
      async take(permit) {
        // The next attempt must not begin before the test has seen the pause.
        await eventually('the pause to be seen', () => seen === faults);
        return await space.records.take(permit);
      },
    });
    const fail: RunProcessor = async () => {
      if (faults === 2) return RESULT;
      faults += 1;
      throw new Error('a fault of the service');
    };
    await startWorker(fail, { records });
    const id = await waiting();
    for (const attempt of [1, 2]) {
      await until(id, (record) => record.state === 'queued' && record.attempt === attempt);
      const [seconds] = await space.connection.time();
      const dueMs = Number(await space.connection.zscore(space.keys.waiting, id));
      expect(dueMs).toBeGreaterThan(Number(seconds) * 1000 - 1000);
      expect(await space.connection.zcard(`${space.keys.bullPrefix}:uploads:delayed`)).toBe(0);
      seen = attempt;
    }
    expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ attempt: 3, faults: 2 });
    await untilNoJobs();
  });

  test('tries an upload again if the beginning of its attempt could not be recorded', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    let calls = 0;
    const records = overriding(space.records, {
      async take(permit) {
        calls += 1;
        if (calls === 1) throw new Error('not now');
        return await space.records.take(permit);
      },
    });
    await startWorker(async () => RESULT, { records });
    expect(await until(await waiting(), ({ state }) => state === 'completed')).toMatchObject({ attempt: 1 });
    expect(calls).toBe(2);
  });

  test('asks to be replaced when half of its threads run calls whose results nobody awaits', async () => {
    let abandoned = 0;
    let asked = 0;
    await startWorker(
      async () => {
        abandoned += 1;
        return RESULT;
      },
      { abandonedCalls: () => abandoned, onUnresponsive: () => void (asked += 1) },
    );
    await until(await waiting(), ({ state }) => state === 'completed');
    await untilNoJobs();
    expect(asked).toBe(0);
    await until(await waiting(), ({ state }) => state === 'completed');
    await untilNoJobs();
    expect(asked).toBe(1);
  });

  test('that closes lets running jobs end within the grace period', async () => {
    let finish: (() => void) | undefined;
    const worker = await startWorker(async () => await new Promise((resolve) => (finish = () => resolve(RESULT))));
    const id = await waiting();
    const letEnd = await eventually('the run', () => finish);
    const closing = worker.close(60_000);
    letEnd();
    await closing;
    expect((await space.records.read(id))?.record).toMatchObject({ state: 'completed', attempt: 1 });
  });

  test('that closes requeues jobs that continue past the grace period, and another worker takes them', async () => {
    const worker = await startWorker(endless);
    const id = await waiting();
    await until(id, ({ state }) => state === 'processing');
    await worker.close(0);
    expect(await space.records.read(id)).toMatchObject({ queuePosition: 1, record: { state: 'queued' } });
    await startWorker(async () => RESULT);
    expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ attempt: 2 });
  });

  test('uses a job of an older version, which names its upload', async () => {
    const { id, fencingToken } = await uploadIn(space.records, 'queued');
    await putObject(temp.storage, originalKey(id, fencingToken), Buffer.from('bytes'));
    await queue.add(OTHER_KIND, { id });
    await startWorker(async () => RESULT);
    expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ attempt: 1 });
    await untilNoJobs();
  });

  test('ends a permit for which no upload waits', async () => {
    await startWorker(async () => RESULT);
    await queue.addMany(OTHER_KIND, 3);
    await untilNoJobs();
    expect(await until(await waiting(), ({ state }) => state === 'completed')).toMatchObject({ attempt: 1 });
  });

  test('runs an upload that was sent again while its earlier attempt was still running', async () => {
    let run: RunProcessor = endless;
    const worker = await startWorker((...args) => run(...args));
    const id = await waiting();
    const { publicId } = await until(id, ({ state }) => state === 'processing');
    await space.records.cancel(id);
    await space.records.open({ id, fencingToken: 'r2', fileName: 'b.jpg', totalBytes: null });
    await putObject(temp.storage, originalKey(id, 'r2'), Buffer.from('other'));
    await space.records.enqueue(id, 'r2', { type: 'image/jpeg', sizeBytes: 5, sha256: 'b', options: {} });
    await queue.add(OTHER_KIND);
    run = async () => RESULT;
    worker.cancel(id);
    expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ fencingToken: 'r2', attempt: 2 });
    expect(publicId).not.toBe('');
    await untilNoJobs();
  });

  test('runs an upload again whose attempt was rejected although no other worker has it', async () => {
    await startWorker(async (context, hooks) => {
      const { id } = context.upload;
      const attempt = (await space.records.read(id))?.record.attempt ?? 0;
      if (attempt > 1) return RESULT;
      // The same happens to a report that was applied, lost its reply, and is sent again after another change.
      await space.records.advance(id, attempt, 1_000, 'decode', 0.1);
      hooks.report({ stage: 'decode', fraction: 0.2 });
      return await endless(context, hooks);
    });
    const id = await waiting();
    expect(await until(id, ({ state }) => state === 'completed')).toMatchObject({ attempt: 2 });
  });
});
