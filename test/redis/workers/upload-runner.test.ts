import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../src/errors.ts';
import { attemptPrefix, manifestKey, originalKey, partKey } from '../../../src/storage/keys.ts';
import { readManifest } from '../../../src/storage/manifest.ts';
import { putObject, type Storage } from '../../../src/storage/storage.ts';
import { MAX_DEATHS, MAX_FAULTS } from '../../../src/queue/contract.ts';
import type { RetryPause, RunOutcome } from '../../../workers/attempt.ts';
import { UnprocessableError } from '../../../workers/unprocessable-error.ts';
import type { RunProcessor } from '../../../workers/processors.ts';
import { STOPPING, SUPERSEDED, TIMED_OUT } from '../../../workers/stop-reasons.ts';
import { runUpload } from '../../../workers/upload-runner.ts';
import { ProcessDied } from '../../../workers/isolation/process-died.ts';
import { openRecordSpace, RESULT, silentLog, uploadIn, type RecordSpace } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { overriding } from '../../helpers/overriding.ts';
import { eventually } from '../../helpers/eventually.ts';

let space: RecordSpace;
let temp: TempStorage;

beforeEach(async () => {
  [space, temp] = await Promise.all([openRecordSpace(await sharedRedis()), openTempStorage()]);
});
afterEach(async () => {
  await Promise.all([space.close(), temp.remove()]);
});

/** An upload that waits, with its bytes stored. */
async function waiting(): Promise<string> {
  const { id, fencingToken } = await uploadIn(space.records, 'queued');
  await putObject(temp.storage, originalKey(id, fencingToken), Buffer.from('bytes'));
  return id;
}

const notIsolated: RunProcessor = async () => await Promise.reject<never>(new Error('runs in a process of its own'));

async function run(
  id: string,
  processor: RunProcessor,
  controller = new AbortController(),
  {
    runIsolated = notIsolated,
    attemptTimeoutMs = 60_000,
    checkStorage = async () => {},
    pauseMs = undefined as number | undefined,
    storage = temp.storage as Storage,
    records = space.records,
  } = {},
) {
  const processors = {
    find: (type: string) => (type === 'image/jpeg' ? { kind: 'picture', types: [type], run: processor } : undefined),
  };
  const parts = {
    records,
    storage,
    processors,
    runIsolated,
    checkStorage,
    noticeDependencyFault: async () => pauseMs,
    attemptTimeoutMs,
    abortGraceMs: 5_000,
    log: silentLog,
  };
  // A permit that names its upload, so that each test runs its own one.
  const hold = {
    permit: { kind: 'picture', id: '1', data: { id } },
    controller,
    begun: async () => undefined,
    stopping: new AbortController().signal,
    onUnresponsive: () => undefined,
  };
  return await runUpload(parts, hold);
}

function retryOf(outcome: RunOutcome): RetryPause {
  if (typeof outcome === 'string') throw new Error(`not tried again: ${outcome}`);
  return outcome;
}

async function recordOf(id: string) {
  return (await space.records.read(id))?.record;
}

const attemptFiles = () => temp.files().filter((path) => path.includes('/attempt-'));

const succeed: RunProcessor = async () => RESULT;
const made = { name: '160', format: 'jpeg', width: 1, height: 1 };
const publishThen =
  (then: RunProcessor): RunProcessor =>
  async (context, hooks) => {
    await context.publishVariant(made, Buffer.from('small'));
    return await then(context, hooks);
  };

describe('an upload that is processed', () => {
  test('is completed with the result of its processor, from the bytes and the options as sent', async () => {
    const id = await waiting();
    const outcome = await run(id, async (context, hooks) => {
      expect((await readFile(context.inputPath)).toString()).toBe('bytes');
      expect(context.upload).toMatchObject({ id, type: 'image/jpeg', sizeBytes: 1000, options: {} });
      hooks.report({ stage: 'decode', fraction: 0.5 });
      return { ...RESULT, width: 7 };
    });
    expect(outcome).toBe('done');
    expect(await recordOf(id)).toMatchObject({
      state: 'completed',
      percent: 100,
      stage: 'done',
      attempt: 1,
      result: { width: 7 },
    });
  });

  test('has its reports in the record, the last one before its outcome', async () => {
    const id = await waiting();
    let during: number | undefined;
    await run(id, async (_context, hooks) => {
      hooks.report({ stage: 'decode', fraction: 0.5 });
      during = await eventually('the report', async () => {
        const percent = (await recordOf(id))?.percent;
        return percent === 65 && percent;
      });
      return RESULT;
    });
    expect([during, (await recordOf(id))?.percent]).toEqual([65, 100]);
  });

  test('is assembled first if it is in parts, with a stage, a moving percent and its digest', async () => {
    const { id } = await uploadIn(space.records, 'queued');
    const bytes = Buffer.alloc(1000, 'part');
    await putObject(temp.storage, partKey(id, 0, '000000000001'), bytes.subarray(0, 600));
    await putObject(temp.storage, partKey(id, 600, '000000000002'), bytes.subarray(600));
    await space.connection.hset(space.keys.record(id), 'sha256', '');
    const stages: string[] = [];
    const records = overriding(space.records, {
      advance: async (uploadId, attempt, sequence, stage, fraction) => {
        stages.push(stage);
        return await space.records.advance(uploadId, attempt, sequence, stage, fraction);
      },
    });
    let during: number | undefined;
    const processor: RunProcessor = async (context, hooks) => {
      expect((await readFile(context.inputPath)).equals(bytes)).toBe(true);
      hooks.report({ stage: 'decode', fraction: 0 });
      during = await eventually('the report', async () => {
        const record = await recordOf(id);
        return record?.stage === 'decode' && record.percent;
      });
      return RESULT;
    };
    expect(await run(id, processor, new AbortController(), { records })).toBe('done');
    expect([stages[0], during]).toEqual(['assemble', 44]);
    expect(await recordOf(id)).toMatchObject({
      state: 'completed',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(temp.files().filter((path) => path.includes('/parts/'))).toEqual([]);
  });

  test('has its variants in storage below its attempt, announced, and with a URL', async () => {
    const id = await waiting();
    await run(id, async (context) => {
      const variant = await context.publishVariant(made, Buffer.from('small'));
      expect(variant).toEqual({ ...made, size: 5, url: `/variants/${context.upload.publicId}/160` });
      const announced = await eventually('the announcement', async () => (await recordOf(id))?.variants['160']);
      expect(announced).toMatchObject({ ...variant, key: `${attemptPrefix(id, 1)}/160.jpeg` });
      return RESULT;
    });
    expect(attemptFiles()).toEqual([`${attemptPrefix(id, 1)}/160.jpeg`]);
  });
});

test('the completion names every variant of the result, though Redis has lost an announcement', async () => {
  const id = await waiting();
  await run(id, async (context) => {
    await context.publishVariant(made, Buffer.from('small'));
    await eventually('the announcement', async () => (await recordOf(id))?.variants['160']);
    await space.connection.hdel(space.keys.record(id), 'variants');
    return RESULT;
  });
  expect((await recordOf(id))?.variants['160']).toMatchObject({ name: '160', key: attemptFiles()[0] });
});

describe('a job that has nothing to do', () => {
  test.each(['cancelled', 'completed', 'failed'] as const)(
    'because its upload is %s or missing is skipped',
    async (state) => {
      const { id } = await uploadIn(space.records, state);
      const before = await recordOf(id);
      expect([
        await run(id, async () => await Promise.reject<never>(new Error('ran'))),
        await run('nothing', succeed),
      ]).toEqual(['done', 'done']);
      expect(await recordOf(id)).toEqual(before);
    },
  );

  test('because the attempts are used up ends the upload as failed', async () => {
    const id = await waiting();
    for (let attempt = 0; attempt <= MAX_DEATHS; attempt++) await space.records.begin(id);
    await putObject(temp.storage, `${attemptPrefix(id, MAX_DEATHS)}/160.jpeg`, Buffer.from('of the dead'));
    expect(await run(id, succeed)).toBe('done');
    expect(await recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'processing_failed', state: 'failed', final: true },
    });
    expect(attemptFiles()).toEqual([]);
  });
});

describe('a file that cannot be processed', () => {
  test('fails with its reason and without a retry', async () => {
    const id = await waiting();
    const outcome = await run(
      id,
      publishThen(async () => await Promise.reject<never>(new UnprocessableError('picture_damaged', 'Broken off.'))),
    );
    expect(outcome).toBe('done');
    expect(await recordOf(id)).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'picture_damaged', status: 422, detail: 'Broken off.', id, state: 'failed', final: true },
    });
    expect(attemptFiles()).toEqual([]);
  });

  test('because no processor accepts its type fails', async () => {
    const { id, fencingToken } = await uploadIn(space.records, 'receiving');
    await space.records.enqueue(id, fencingToken, { type: 'image/x-other', sizeBytes: 1, sha256: 'a', options: {} });
    expect(await run(id, succeed)).toBe('done');
    expect((await recordOf(id))?.error).toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('a fault of the service', () => {
  const fault: RunProcessor = async () => await Promise.reject<never>(new Error('/secret/path went away'));

  test('leads to another attempt: the upload waits with the same percent', async () => {
    const id = await waiting();
    expect(await run(id, fault)).toEqual({ retryInMs: expect.any(Number) });
    expect(await recordOf(id)).toMatchObject({ state: 'queued', attempt: 1, error: null });
    expect(await run(id, succeed)).toBe('done');
    expect(await recordOf(id)).toMatchObject({ state: 'completed', attempt: 2 });
  });

  test('is also assumed if the bytes are not in storage', async () => {
    expect(await run((await uploadIn(space.records, 'queued')).id, succeed)).toMatchObject({
      retryInMs: expect.any(Number) as unknown,
    });
  });

  test('of the storage or of Redis requeues the upload any number of times without a count', async () => {
    const id = await waiting();
    const causes = [
      new ServiceError('storage_unavailable', 'Away.'),
      new ServiceError('storage_full', 'Full.'),
      new ServiceError('service_unavailable', 'Away.'),
      Object.assign(new Error('i/o error'), { code: 'EIO' }),
      new Error('not published', { cause: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }),
      Object.assign(new Error('expired'), { $metadata: { httpStatusCode: 403 } }),
    ];
    for (const cause of [...causes, ...causes])
      expect(await run(id, async () => await Promise.reject<never>(cause))).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', faults: 0, deaths: 0, error: null });
    expect(await run(id, succeed)).toBe('done');
  });

  test('delays its upload, by the clock of Redis, if the storage works for others', async () => {
    const id = await waiting();
    const full = new ServiceError('storage_full', 'Full.');
    const fail: RunProcessor = async () => await Promise.reject<never>(full);
    expect(await run(id, fail, undefined, { pauseMs: 60_000 })).toEqual({ retryInMs: 60_000 });
    const other = await waiting();
    expect([await recordOf(id), (await space.records.read(id))?.queuePosition]).toMatchObject([{ faults: 0 }, 2]);
    expect((await space.records.read(other))?.queuePosition).toBe(1);
  });

  // The kernel answers a read of this file with EIO.
  (process.platform === 'linux' ? test.each : test.skip.each)([
    ['a damaged file', new UnprocessableError('picture_damaged', 'Not a picture.')],
    ['a crash', new ProcessDied(null, 'SIGBUS', '')],
  ])('is not charged to an upload whose bytes the disk cannot read, although they look like %s', async (_, error) => {
    const id = await waiting();
    const storage = overriding(temp.storage, {
      openLocal: async () => ({ path: '/proc/self/mem', release: async () => undefined }),
    });
    const fail: RunProcessor = async () => await Promise.reject<never>(error);
    expect(await run(id, fail, undefined, { storage })).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', faults: 0, deaths: 0 });
  });

  test.each([
    ['/dev/null/file', 'leads to a device'],
    ['/not/there', 'is missing'],
  ])('is not counted while the storage is away: %s %s', async (path) => {
    const id = await waiting();
    const storage = overriding(temp.storage, { openLocal: async () => ({ path, release: async () => undefined }) });
    const fail: RunProcessor = async () => await Promise.reject<never>(new Error('input file is missing'));
    const checkStorage = async () => await Promise.reject<never>(new ServiceError('storage_unavailable', 'Away.'));
    expect(await run(id, fail, undefined, { storage, checkStorage })).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', faults: 0 });
  });

  test('is not counted for missing bytes while the storage itself cannot be used', async () => {
    const { id } = await uploadIn(space.records, 'queued');
    const checkStorage = async () => await Promise.reject<never>(new ServiceError('storage_unavailable', 'Away.'));
    expect(await run(id, succeed, undefined, { checkStorage })).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', faults: 0 });
  });

  test('fails the upload after the last attempt, without internal details in the error', async () => {
    const id = await waiting();
    for (let attempt = 1; attempt < MAX_FAULTS; attempt++) {
      const pauseMs = 1_000 * 2 ** (attempt - 1);
      const { retryInMs } = retryOf(await run(id, fault));
      expect(retryInMs).toBeGreaterThanOrEqual(pauseMs / 2);
      expect(retryInMs).toBeLessThanOrEqual(pauseMs * 1.5);
    }
    expect(await run(id, fault)).toBe('done');
    const record = await recordOf(id);
    expect(record).toMatchObject({
      state: 'failed',
      attempt: MAX_FAULTS,
      error: { code: 'processing_failed', status: 500, final: true },
    });
    expect(JSON.stringify(record?.error)).not.toContain('secret');
  });

  test('leaves neither files of its attempt nor variants that name them', async () => {
    const id = await waiting();
    await run(id, publishThen(fault));
    expect([attemptFiles(), (await recordOf(id))?.variants]).toEqual([[], {}]);
  });
});

describe('an attempt that is stopped from outside', () => {
  test('by a cancel changes nothing any more, and its files are removed', async () => {
    const id = await waiting();
    const controller = new AbortController();
    const outcome = await run(
      id,
      publishThen(async (context) => {
        await space.records.cancel(id);
        controller.abort(SUPERSEDED);
        context.signal.throwIfAborted();
        return RESULT;
      }),
      controller,
    );
    expect([outcome, (await recordOf(id))?.state, attemptFiles()]).toEqual(['superseded', 'cancelled', []]);
  });

  test('by a cancel that it missed is ended by the record', async () => {
    const id = await waiting();
    const cancelled: RunProcessor = async () => (await space.records.cancel(id), RESULT);
    expect([
      await run(id, async (...given) => (await cancelled(...given), await publishThen(succeed)(...given))),
      attemptFiles(),
    ]).toEqual(['superseded', []]);
    const second = await waiting();
    const ended = await run(second, async () => {
      await space.records.cancel(second);
      return RESULT;
    });
    expect([ended, (await recordOf(second))?.state]).toEqual(['superseded', 'cancelled']);
  });

  test('by another attempt leaves the files and the outcome of that attempt alone', async () => {
    const id = await waiting();
    const outcome = await run(
      id,
      publishThen(async () => {
        expect(await run(id, publishThen(succeed))).toBe('done');
        return { ...RESULT, width: 99 };
      }),
    );
    expect([outcome, attemptFiles()]).toEqual(['superseded', [`${attemptPrefix(id, 2)}/160.jpeg`]]);
    expect(await recordOf(id)).toMatchObject({ state: 'completed', attempt: 2, result: { width: 1 } });
  });

  test('by an attempt of the same number, whose beginning Redis had lost, leaves the files of that one', async () => {
    const id = await waiting();
    const key = space.keys.record(id);
    const before = await space.connection.hgetall(key);
    const outcome = await run(
      id,
      publishThen(async () => {
        await space.connection.del(key);
        await space.connection.hset(key, before);
        expect(await run(id, publishThen(succeed))).toBe('done');
        return RESULT;
      }),
    );
    expect([outcome, (await recordOf(id))?.attempt, attemptFiles()]).toEqual([
      'superseded',
      1,
      [`${attemptPrefix(id, 1)}/160.jpeg`],
    ]);
  });

  test('because the process stops requeues the upload, with any error of its processor', async () => {
    const id = await waiting();
    const controller = new AbortController();
    const outcome = await run(
      id,
      publishThen(async () => {
        controller.abort(STOPPING);
        throw new Error('torn away');
      }),
      controller,
    );
    expect([outcome, attemptFiles()]).toEqual(['requeued', []]);
    expect(await space.records.read(id)).toMatchObject({ queuePosition: 1, record: { state: 'queued' } });
  });
});

describe('an upload whose attempts have died', () => {
  /** Begins this number of attempts, none of which reports again. */
  async function abandoned(times: number): Promise<string> {
    const id = await waiting();
    for (let time = 0; time < times; time++) await space.records.begin(id);
    return id;
  }

  test('once, perhaps because of another file, runs beside others again', async () => {
    const id = await abandoned(1);
    expect(await run(id, succeed)).toBe('done');
    expect(await recordOf(id)).toMatchObject({ state: 'completed', attempt: 2, deaths: 1 });
  });

  test('twice runs alone, and the files of the dead attempts are removed when it is completed', async () => {
    const id = await abandoned(2);
    await putObject(temp.storage, `${attemptPrefix(id, 1)}/160.jpeg`, Buffer.from('of the dead'));
    await mkdir(join(temp.directory, attemptPrefix(id, 2)), { recursive: true });
    await writeFile(join(temp.directory, attemptPrefix(id, 2), '160.jpeg.0123456789ab.part'), 'unfinished');
    expect(await run(id, notIsolated, undefined, { runIsolated: publishThen(succeed) })).toBe('done');
    expect(await recordOf(id)).toMatchObject({ state: 'completed', attempt: 3, deaths: 2 });
    expect(attemptFiles()).toEqual([`${attemptPrefix(id, 3)}/160.jpeg`]);
  });

  test('keeps the variants that only a dead attempt has announced', async () => {
    const id = await abandoned(1);
    const variant = { ...made, size: 1, url: '', key: `${attemptPrefix(id, 1)}/160.jpeg`, sha256: '' };
    await putObject(temp.storage, variant.key, Buffer.from('of the dead'));
    await space.records.advance(id, 1, 1, 'variants', 0.9, [variant]);
    expect(await run(id, succeed)).toBe('done');
    expect(attemptFiles()).toEqual([variant.key]);
  });

  test('and that crashes its own process fails as crashing, and leaves nothing', async () => {
    const id = await abandoned(2);
    await putObject(temp.storage, `${attemptPrefix(id, 1)}/160.jpeg`, Buffer.from('of the dead'));
    const dies: RunProcessor = async () => await Promise.reject<never>(new ProcessDied(null, 'SIGSEGV', ''));
    expect(await run(id, notIsolated, undefined, { runIsolated: dies })).toBe('done');
    expect(await recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'picture_crashes_worker', status: 422, final: true },
    });
    expect(attemptFiles()).toEqual([]);
  });

  test('and whose own process was ended from outside gets another attempt', async () => {
    const id = await abandoned(2);
    expect(await run(id, notIsolated, undefined, { runIsolated: notIsolated })).toMatchObject({
      retryInMs: expect.any(Number) as unknown,
    });
    expect(await recordOf(id)).toMatchObject({ state: 'queued', faults: 1, deaths: 2 });
  });
});

describe('an attempt that takes too long', () => {
  const waitsForTheSignal: RunProcessor = async ({ signal }) =>
    await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('torn away')), { once: true }),
    );

  test('is ended, and the next one runs alone', async () => {
    const id = await waiting();
    expect(await run(id, waitsForTheSignal, undefined, { attemptTimeoutMs: 20 })).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', deaths: 2, faults: 0 });
    expect(await run(id, notIsolated, undefined, { runIsolated: succeed })).toBe('done');
  });

  test('in one step does not fail the file before it has run alone', async () => {
    const id = await waiting();
    const isSlow: RunProcessor = async () =>
      await Promise.reject<never>(new UnprocessableError('picture_timeout', 'Too slow.'));
    expect(await run(id, isSlow)).toBe('requeued');
    expect(await recordOf(id)).toMatchObject({ state: 'queued', deaths: 2, faults: 0 });
    expect(await run(id, notIsolated, undefined, { runIsolated: isSlow })).toBe('done');
    expect(await recordOf(id)).toMatchObject({ state: 'failed', error: { detail: 'Too slow.', final: true } });
  });

  test('alone fails the file, because it takes too long', async () => {
    const id = await waiting();
    await run(id, waitsForTheSignal, undefined, { attemptTimeoutMs: 20 });
    const isCharged: RunProcessor = async () => await Promise.reject<never>(TIMED_OUT);
    expect(await run(id, notIsolated, undefined, { runIsolated: isCharged })).toBe('done');
    expect(await recordOf(id)).toMatchObject({ state: 'failed', error: { code: 'picture_timeout', final: true } });
  });
});

describe('the manifest of an upload', () => {
  test('is written from the record if it is missing, so that the upload can be restored', async () => {
    const id = await waiting();
    const { fencingToken = '', publicId } = (await recordOf(id)) ?? {};
    expect(await readManifest(temp.storage, manifestKey(id, fencingToken))).toBeUndefined();
    expect(await run(id, succeed)).toBe('done');
    const manifest = await readManifest(temp.storage, manifestKey(id, fencingToken));
    expect(manifest).toMatchObject({ id, fencingToken, publicId, type: 'image/jpeg', sizeBytes: 1000 });
  });
});
