import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { attemptPrefix, manifestKey, partKey } from '../../../src/storage/keys.ts';
import { readManifest } from '../../../src/storage/manifest.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { MAX_DEATHS } from '../../../src/queue/contract.ts';
import { UnprocessableError } from '../../../workers/unprocessable-error.ts';
import type { RunProcessor } from '../../../workers/processors.ts';
import { RESULT, uploadIn } from '../../helpers/record-space.ts';
import { overriding } from '../../helpers/overriding.ts';
import { eventually } from '../../helpers/eventually.ts';
import { made, openRunnerSpace, publishThen, succeed, type RunnerSpace } from '../../helpers/runner-space.ts';
import { useSpace } from '../../helpers/use-space.ts';

let runner: RunnerSpace;

useSpace('test', openRunnerSpace, (opened) => (runner = opened));

describe('an upload that is processed', () => {
  test('is completed with the result of its processor, from the bytes and the options as sent', async () => {
    const id = await runner.waiting();
    const outcome = await runner.run(id, async (context, hooks) => {
      expect((await readFile(context.inputPath)).toString()).toBe('bytes');
      expect(context.upload).toMatchObject({ id, type: 'image/jpeg', sizeBytes: 1000, options: {} });
      hooks.report({ stage: 'decode', fraction: 0.5 });
      return { ...RESULT, width: 7 };
    });
    expect(outcome).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'completed',
      percent: 100,
      stage: 'done',
      attempt: 1,
      result: { width: 7 },
    });
  });

  test('has its reports in the record, the last one before its outcome', async () => {
    const id = await runner.waiting();
    let during: number | undefined;
    await runner.run(id, async (_context, hooks) => {
      hooks.report({ stage: 'decode', fraction: 0.5 });
      during = await eventually('the report', async () => {
        const percent = (await runner.recordOf(id))?.percent;
        return percent === 65 && percent;
      });
      return RESULT;
    });
    expect([during, (await runner.recordOf(id))?.percent]).toEqual([65, 100]);
  });

  test('is assembled first if it is in parts, with a stage, a moving percent and its digest', async () => {
    const { id } = await uploadIn(runner.records, 'queued');
    const bytes = Buffer.alloc(1000, 'part');
    await putObject(runner.storage, partKey(id, 0, '000000000001'), bytes.subarray(0, 600));
    await putObject(runner.storage, partKey(id, 600, '000000000002'), bytes.subarray(600));
    await runner.connection.hset(runner.keys.record(id), 'sha256', '');
    const stages: string[] = [];
    const records = overriding(runner.records, {
      advance: async (uploadId, attempt, sequence, stage, fraction) => {
        stages.push(stage);
        return await runner.records.advance(uploadId, attempt, sequence, stage, fraction);
      },
    });
    let during: number | undefined;
    const processor: RunProcessor = async (context, hooks) => {
      expect((await readFile(context.inputPath)).equals(bytes)).toBe(true);
      hooks.report({ stage: 'decode', fraction: 0 });
      during = await eventually('the report', async () => {
        const record = await runner.recordOf(id);
        return record?.stage === 'decode' && record.percent;
      });
      return RESULT;
    };
    expect(await runner.run(id, processor, new AbortController(), { records })).toBe('done');
    expect([stages[0], during]).toEqual(['assemble', 44]);
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'completed',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(runner.files().filter((path) => path.includes('/parts/'))).toEqual([]);
  });

  test('has its variants in storage below its attempt, announced, and with a URL', async () => {
    const id = await runner.waiting();
    await runner.run(id, async (context) => {
      const variant = await context.publishVariant(made, Buffer.from('small'));
      expect(variant).toEqual({ ...made, size: 5, url: `/variants/${context.upload.publicId}/160` });
      const announced = await eventually('the announcement', async () => (await runner.recordOf(id))?.variants['160']);
      expect(announced).toMatchObject({ ...variant, key: `${attemptPrefix(id, 1)}/160.jpeg` });
      return RESULT;
    });
    expect(runner.attemptFiles()).toEqual([`${attemptPrefix(id, 1)}/160.jpeg`]);
  });
});

test('the completion names every variant of the result, though Redis has lost an announcement', async () => {
  const id = await runner.waiting();
  await runner.run(id, async (context) => {
    await context.publishVariant(made, Buffer.from('small'));
    await eventually('the announcement', async () => (await runner.recordOf(id))?.variants['160']);
    await runner.connection.hdel(runner.keys.record(id), 'variants');
    return RESULT;
  });
  expect((await runner.recordOf(id))?.variants['160']).toMatchObject({ name: '160', key: runner.attemptFiles()[0] });
});

describe('a job that has nothing to do', () => {
  test.each(['cancelled', 'completed', 'failed'] as const)(
    'because its upload is %s or missing is skipped',
    async (state) => {
      const { id } = await uploadIn(runner.records, state);
      const before = await runner.recordOf(id);
      expect([
        await runner.run(id, async () => await Promise.reject<never>(new Error('ran'))),
        await runner.run('nothing', succeed),
      ]).toEqual(['done', 'done']);
      expect(await runner.recordOf(id)).toEqual(before);
    },
  );

  test('because the attempts are used up ends the upload as failed', async () => {
    const id = await runner.waiting();
    for (let attempt = 0; attempt <= MAX_DEATHS; attempt++) await runner.records.begin(id);
    await putObject(runner.storage, `${attemptPrefix(id, MAX_DEATHS)}/160.jpeg`, Buffer.from('of the dead'));
    expect(await runner.run(id, succeed)).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'failed',
      error: { code: 'processing_failed', state: 'failed', final: true },
    });
    expect(runner.attemptFiles()).toEqual([]);
  });
});

describe('a file that cannot be processed', () => {
  test('fails with its reason and without a retry', async () => {
    const id = await runner.waiting();
    const outcome = await runner.run(
      id,
      publishThen(async () => await Promise.reject<never>(new UnprocessableError('picture_damaged', 'Broken off.'))),
    );
    expect(outcome).toBe('done');
    expect(await runner.recordOf(id)).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'picture_damaged', status: 422, detail: 'Broken off.', id, state: 'failed', final: true },
    });
    expect(runner.attemptFiles()).toEqual([]);
  });

  test('because no processor accepts its type fails', async () => {
    const { id, fencingToken } = await uploadIn(runner.records, 'receiving');
    await runner.records.enqueue(id, fencingToken, { type: 'image/x-other', sizeBytes: 1, sha256: 'a', options: {} });
    expect(await runner.run(id, succeed)).toBe('done');
    expect((await runner.recordOf(id))?.error).toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('the manifest of an upload', () => {
  test('is written from the record if it is missing, so that the upload can be restored', async () => {
    const id = await runner.waiting();
    const { fencingToken = '', publicId } = (await runner.recordOf(id)) ?? {};
    expect(await readManifest(runner.storage, manifestKey(id, fencingToken))).toBeUndefined();
    expect(await runner.run(id, succeed)).toBe('done');
    const manifest = await readManifest(runner.storage, manifestKey(id, fencingToken));
    expect(manifest).toMatchObject({ id, fencingToken, publicId, type: 'image/jpeg', sizeBytes: 1000 });
  });

  test('is written too while the file is stored as the parts of a resumable upload', async () => {
    const { id, fencingToken } = await uploadIn(runner.records, 'queued');
    await putObject(runner.storage, partKey(id, 0, '000000000001'), Buffer.alloc(1000, 'part'));
    await runner.connection.hset(runner.keys.record(id), 'sha256', '');
    expect(await runner.run(id, succeed)).toBe('done');
    expect(await readManifest(runner.storage, manifestKey(id, fencingToken))).toMatchObject({ id, sizeBytes: 1000 });
  });
});
