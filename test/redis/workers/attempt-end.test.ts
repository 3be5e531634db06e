import { describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../src/errors.ts';
import { attemptPrefix } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { MAX_FAULTS } from '../../../src/queue/contract.ts';
import { UnprocessableError } from '../../../workers/unprocessable-error.ts';
import type { RunProcessor } from '../../../workers/processors.ts';
import { STOPPING, SUPERSEDED, TIMED_OUT } from '../../../workers/stop-reasons.ts';
import { ProcessDied } from '../../../workers/isolation/process-died.ts';
import { RESULT, uploadIn } from '../../helpers/record-space.ts';
import { overriding } from '../../helpers/overriding.ts';
import {
  made,
  notIsolated,
  openRunnerSpace,
  publishThen,
  retryOf,
  succeed,
  type RunnerSpace,
} from '../../helpers/runner-space.ts';
import { useSpace } from '../../helpers/use-space.ts';

let runner: RunnerSpace;

useSpace('test', openRunnerSpace, (opened) => (runner = opened));

describe('a fault of the service', () => {
  const fault: RunProcessor = async () => await Promise.reject<never>(new Error('/secret/path went away'));

  test('leads to another attempt: the upload waits with the same percent', async () => {
    const id = await runner.waiting();
    expect(await runner.run(id, fault)).toEqual({ retryInMs: expect.any(Number) });
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', attempt: 1, error: null });
    expect(await runner.run(id, succeed)).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'completed', attempt: 2 });
  });

  test('is also assumed if the bytes are not in storage', async () => {
    expect(await runner.run((await uploadIn(runner.records, 'queued')).id, succeed)).toMatchObject({
      retryInMs: expect.any(Number) as unknown,
    });
  });

  test('in the storage or in Redis requeues the upload any number of times, and no fault is counted', async () => {
    const id = await runner.waiting();
    const causes = [
      new ServiceError('storage_unavailable', 'Away.'),
      new ServiceError('storage_full', 'Full.'),
      new ServiceError('service_unavailable', 'Away.'),
      Object.assign(new Error('i/o error'), { code: 'EIO' }),
      new Error('not published', { cause: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }),
      Object.assign(new Error('expired'), { $metadata: { httpStatusCode: 403 } }),
    ];
    for (const cause of [...causes, ...causes])
      expect(await runner.run(id, async () => await Promise.reject<never>(cause))).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', faults: 0, deaths: 0, error: null });
    expect(await runner.run(id, succeed)).toBe('done');
  });

  test('delays its upload, by the clock of Redis, if the storage works for others', async () => {
    const id = await runner.waiting();
    const full = new ServiceError('storage_full', 'Full.');
    const fail: RunProcessor = async () => await Promise.reject<never>(full);
    expect(await runner.run(id, fail, undefined, { pauseMs: 60_000 })).toEqual({ retryInMs: 60_000 });
    const other = await runner.waiting();
    expect([await runner.recordOf(id), (await runner.records.read(id))?.queuePosition]).toMatchObject([
      { faults: 0 },
      2,
    ]);
    expect((await runner.records.read(other))?.queuePosition).toBe(1);
  });

  // The kernel answers a read of this file with EIO.
  (process.platform === 'linux' ? test.each : test.skip.each)([
    ['a damaged file', new UnprocessableError('picture_damaged', 'Not a picture.')],
    ['a crash', new ProcessDied(null, 'SIGBUS', '')],
  ])('is not charged to an upload whose bytes the disk cannot read, although they look like %s', async (_, error) => {
    const id = await runner.waiting();
    const storage = overriding(runner.storage, {
      openLocal: async () => ({ path: '/proc/self/mem', release: async () => undefined }),
    });
    const fail: RunProcessor = async () => await Promise.reject<never>(error);
    expect(await runner.run(id, fail, undefined, { storage })).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', faults: 0, deaths: 0 });
  });

  test.each([
    ['/dev/null/file', 'leads to a device'],
    ['/not/there', 'is missing'],
  ])('is not counted while the storage is away: %s %s', async (path) => {
    const id = await runner.waiting();
    const storage = overriding(runner.storage, { openLocal: async () => ({ path, release: async () => undefined }) });
    const fail: RunProcessor = async () => await Promise.reject<never>(new Error('input file is missing'));
    const checkStorage = async () => await Promise.reject<never>(new ServiceError('storage_unavailable', 'Away.'));
    expect(await runner.run(id, fail, undefined, { storage, checkStorage })).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', faults: 0 });
  });

  test('is not counted for missing bytes while the storage itself cannot be used', async () => {
    const { id } = await uploadIn(runner.records, 'queued');
    const checkStorage = async () => await Promise.reject<never>(new ServiceError('storage_unavailable', 'Away.'));
    expect(await runner.run(id, succeed, undefined, { checkStorage })).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', faults: 0 });
  });

  test('fails the upload after the last attempt, without internal details in the error', async () => {
    const id = await runner.waiting();
    for (let attempt = 1; attempt < MAX_FAULTS; attempt++) {
      const pauseMs = 1_000 * 2 ** (attempt - 1);
      const { retryInMs } = retryOf(await runner.run(id, fault));
      expect(retryInMs).toBeGreaterThanOrEqual(pauseMs / 2);
      expect(retryInMs).toBeLessThanOrEqual(pauseMs * 1.5);
    }
    expect(await runner.run(id, fault)).toBe('done');
    const record = await runner.recordOf(id);
    expect(record).toMatchObject({
      state: 'failed',
      attempt: MAX_FAULTS,
      error: { code: 'processing_failed', status: 500, final: true },
    });
    expect(JSON.stringify(record?.error)).not.toContain('secret');
  });

  test('leaves neither files of its attempt nor variants that name them', async () => {
    const id = await runner.waiting();
    await runner.run(id, publishThen(fault));
    expect([runner.attemptFiles(), (await runner.recordOf(id))?.variants]).toEqual([[], {}]);
  });
});

describe('an attempt that is stopped from outside', () => {
  test('by a cancel changes nothing any more, and its files are removed', async () => {
    const id = await runner.waiting();
    const controller = new AbortController();
    const outcome = await runner.run(
      id,
      publishThen(async (context) => {
        await runner.records.cancel(id);
        controller.abort(SUPERSEDED);
        context.signal.throwIfAborted();
        return RESULT;
      }),
      controller,
    );
    expect([outcome, (await runner.recordOf(id))?.state, runner.attemptFiles()]).toEqual([
      'superseded',
      'cancelled',
      [],
    ]);
  });

  test('by a cancel that it missed is ended by the record', async () => {
    const id = await runner.waiting();
    const cancelled: RunProcessor = async () => (await runner.records.cancel(id), RESULT);
    expect([
      await runner.run(id, async (...given) => (await cancelled(...given), await publishThen(succeed)(...given))),
      runner.attemptFiles(),
    ]).toEqual(['superseded', []]);
    const second = await runner.waiting();
    const ended = await runner.run(second, async () => {
      await runner.records.cancel(second);
      return RESULT;
    });
    expect([ended, (await runner.recordOf(second))?.state]).toEqual(['superseded', 'cancelled']);
  });

  test('by another attempt does not change the files and the outcome of that attempt', async () => {
    const id = await runner.waiting();
    const outcome = await runner.run(
      id,
      publishThen(async () => {
        expect(await runner.run(id, publishThen(succeed))).toBe('done');
        return { ...RESULT, width: 99 };
      }),
    );
    expect([outcome, runner.attemptFiles()]).toEqual(['superseded', [`${attemptPrefix(id, 2)}/160.jpeg`]]);
    expect(await runner.recordOf(id)).toMatchObject({ state: 'completed', attempt: 2, result: { width: 1 } });
  });

  test('by an attempt of the same number, after a loss in Redis, keeps the files of that attempt', async () => {
    const id = await runner.waiting();
    const key = runner.keys.record(id);
    const before = await runner.connection.hgetall(key);
    const outcome = await runner.run(
      id,
      publishThen(async () => {
        await runner.connection.del(key);
        await runner.connection.hset(key, before);
        expect(await runner.run(id, publishThen(succeed))).toBe('done');
        return RESULT;
      }),
    );
    expect([outcome, (await runner.recordOf(id))?.attempt, runner.attemptFiles()]).toEqual([
      'superseded',
      1,
      [`${attemptPrefix(id, 1)}/160.jpeg`],
    ]);
  });

  test('requeues the upload if the process stops, also if the processor then throws an error', async () => {
    const id = await runner.waiting();
    const controller = new AbortController();
    const outcome = await runner.run(
      id,
      publishThen(async () => {
        controller.abort(STOPPING);
        throw new Error('torn away');
      }),
      controller,
    );
    expect([outcome, runner.attemptFiles()]).toEqual(['requeued', []]);
    expect(await runner.records.read(id)).toMatchObject({ queuePosition: 1, record: { state: 'queued' } });
  });
});

describe('an upload whose attempts have died', () => {
  /** Begins this number of attempts, none of which reports again. */
  async function abandoned(times: number): Promise<string> {
    const id = await runner.waiting();
    for (let time = 0; time < times; time++) await runner.records.begin(id);
    return id;
  }

  test('once, perhaps because of another file, runs beside others again', async () => {
    const id = await abandoned(1);
    expect(await runner.run(id, succeed)).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'completed', attempt: 2, deaths: 1 });
  });

  test('twice runs in a process of its own, and loses the files of the dead attempts at its end', async () => {
    const id = await abandoned(2);
    await putObject(runner.storage, `${attemptPrefix(id, 1)}/160.jpeg`, Buffer.from('of the dead'));
    await mkdir(join(runner.directory, attemptPrefix(id, 2)), { recursive: true });
    await writeFile(join(runner.directory, attemptPrefix(id, 2), '160.jpeg.0123456789ab.part'), 'unfinished');
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: publishThen(succeed) })).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'completed', attempt: 3, deaths: 2 });
    expect(runner.attemptFiles()).toEqual([`${attemptPrefix(id, 3)}/160.jpeg`]);
  });

  test('keeps the variants that only a dead attempt has announced', async () => {
    const id = await abandoned(1);
    const variant = { ...made, size: 1, url: '', key: `${attemptPrefix(id, 1)}/160.jpeg`, sha256: '' };
    await putObject(runner.storage, variant.key, Buffer.from('of the dead'));
    await runner.records.advance(id, 1, 1, 'variants', 0.9, [variant]);
    expect(await runner.run(id, succeed)).toBe('done');
    expect(runner.attemptFiles()).toEqual([variant.key]);
  });

  test('and that crashes its own process fails as crashing, and leaves nothing', async () => {
    const id = await abandoned(2);
    await putObject(runner.storage, `${attemptPrefix(id, 1)}/160.jpeg`, Buffer.from('of the dead'));
    const dies: RunProcessor = async () => await Promise.reject<never>(new ProcessDied(null, 'SIGSEGV', ''));
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: dies })).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'picture_crashes_worker', status: 422, final: true },
    });
    expect(runner.attemptFiles()).toEqual([]);
  });

  test('and whose own process was ended from outside gets another attempt', async () => {
    const id = await abandoned(2);
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: notIsolated })).toMatchObject({
      retryInMs: expect.any(Number) as unknown,
    });
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', faults: 1, deaths: 2 });
  });
});

describe('an attempt that takes too long', () => {
  const waitsForTheSignal: RunProcessor = async ({ signal }) =>
    await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('torn away')), { once: true }),
    );

  test('is ended, and the next one runs in a process of its own', async () => {
    const id = await runner.waiting();
    expect(await runner.run(id, waitsForTheSignal, undefined, { attemptTimeoutMs: 20 })).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', deaths: 2, faults: 0 });
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: succeed })).toBe('done');
  });

  test('in one step does not fail the file before it had a process of its own', async () => {
    const id = await runner.waiting();
    const isSlow: RunProcessor = async () =>
      await Promise.reject<never>(new UnprocessableError('picture_timeout', 'Too slow.'));
    expect(await runner.run(id, isSlow)).toBe('requeued');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'queued', deaths: 2, faults: 0 });
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: isSlow })).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({ state: 'failed', error: { detail: 'Too slow.', final: true } });
  });

  test('in a process of its own fails the file', async () => {
    const id = await runner.waiting();
    await runner.run(id, waitsForTheSignal, undefined, { attemptTimeoutMs: 20 });
    const isCharged: RunProcessor = async () => await Promise.reject<never>(TIMED_OUT);
    expect(await runner.run(id, notIsolated, undefined, { runIsolated: isCharged })).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'picture_timeout', final: true },
    });
  });
});
