import '../../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDependencyFault } from '../../../../src/storage/dependency-fault.ts';
import { isolatedRunner } from '../../../../workers/isolation/run-isolated.ts';
import { ProcessDied } from '../../../../workers/isolation/process-died.ts';
import type { PipelineReport } from '../../../../workers/pipeline.ts';
import type { RunProcessor } from '../../../../workers/processors.ts';
import { TIMED_OUT } from '../../../../workers/stop-reasons.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { compiled } from '../../../helpers/compiled.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { faultyFile, pidsOf, type Act } from '../../../helpers/faulty/faults.ts';
import { TINY_PICTURE } from '../../../helpers/results.ts';
import { isAlive } from '../../../helpers/is-alive.ts';
import { fakeContext, type FakeContext } from '../../../helpers/process-picture.ts';

let folder: string;
let eventLog: string;
let controller: AbortController;
let context: FakeContext;
let reports: PipelineReport[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'du-isolated-'));
  eventLog = join(folder, 'eventLog');
  controller = new AbortController();
  context = fakeContext(join(folder, 'original'), controller.signal);
  reports = [];
});
afterEach(async () => {
  const [pid] = pidsOf(eventLog);
  if (pid !== undefined) await eventually('the process to be gone', () => !isAlive(pid));
  await rm(folder, { recursive: true });
});

const FAULTY_ENTRY = pathToFileURL(compiled('test/helpers/faulty/isolated.ts'));

const runner = isolatedRunner(FAULTY_ENTRY, { nodeOptions: [] });

async function run(...acts: Act[]) {
  return await runBy(runner, ...acts);
}

async function runBy(runner: RunProcessor, ...acts: Act[]) {
  await writeFile(context.inputPath, faultyFile({ eventLog, attempts: [acts] }));
  return await runner(context, { report: (report) => reports.push(report) });
}

/** Resolves with the pid of the process when it has begun to work on the file. */
async function begun(): Promise<number> {
  return await eventually('the process to begin', () => pidsOf(eventLog)[0]);
}

describe('isolated run', () => {
  test('returns the result, forwards the reports and publishes the files', async () => {
    expect(await run('publish', 'finish')).toEqual(TINY_PICTURE);
    expect(Number(context.files.get('160')?.toString())).toBe(pidsOf(eventLog)[0]);
    expect(pidsOf(eventLog)).not.toEqual([process.pid]);
    expect(reports.map(({ stage }) => stage)).toContain('obey');
  });

  (process.platform === 'linux' ? test : test.skip)('passes no secret of the worker to the process', async () => {
    const given = { REDIS_PASSWORD: 'secret', AWS_SECRET_ACCESS_KEY: 'secret', PICTURE_MAX_PIXELS: '12345' };
    Object.assign(process.env, given);
    const running = run('wait');
    const pid = await begun();
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    for (const name of Object.keys(given)) delete process.env[name];
    expect(environment).toContain('PICTURE_MAX_PIXELS=12345');
    expect(environment).not.toContain('secret');
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });

  test('rejects with the UnprocessableError of the processor', async () => {
    const error = await run('refuse').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({
      code: 'picture_damaged',
      detail: 'As ordered.',
      cause: expect.stringContaining('Error: orders'),
    });
  });

  test('rejects with the error of a variant that could not be stored', async () => {
    const full = new Error('disk full');
    context.publishVariant = async () => await Promise.reject<never>(full);
    await expect(run('publish')).rejects.toBe(full);
  });

  test.each<Act>(['crash', 'exit'])('rejects with ProcessDied if the process ends on its own (%s)', async (act) => {
    await expect(run(act)).rejects.toBeInstanceOf(ProcessDied);
  });

  test('rejects with ProcessDied if the process is killed, as the kernel does when memory runs out', async () => {
    const running = run('hang');
    process.kill(await begun(), 'SIGKILL');
    await expect(running).rejects.toBeInstanceOf(ProcessDied);
  });

  test('ignores the signals that stop services', async () => {
    const running = run('until-released');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(await begun(), signal);
    await writeFile(`${eventLog}.released`, '');
    expect(await running).toEqual(TINY_PICTURE);
  });

  test.each<Act>(['wait', 'spin'])(
    'rejects with the reason of an abort in every state of the processor (%s)',
    async (act) => {
      const running = run(act);
      await begun();
      const reason = new Error('cancelled');
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
    },
  );
});

test.each<Act>(['spin', 'hang'])('an isolated run rejects with TIMED_OUT after its time limit (%s)', async (act) => {
  const bounded = isolatedRunner(FAULTY_ENTRY, { nodeOptions: [], timeoutMs: 200 });
  await expect(runBy(bounded, act)).rejects.toBe(TIMED_OUT);
});

describe('isolated run of a table', () => {
  const tables = isolatedRunner(pathToFileURL(compiled('workers/isolation/main.ts')), { nodeOptions: [] });
  const asTable = (options: unknown) => ({ ...context, upload: { ...context.upload, type: 'text/csv', options } });

  test('publishes the rows chunk by chunk, also in a second pass', async () => {
    await writeFile(context.inputPath, `id,name\n${'1,x\n'.repeat(60_000)}x,y\n`);
    expect(await tables(asTable({}), { report: () => undefined })).toMatchObject({
      kind: 'table',
      rowCount: 60_001,
      columns: [{ type: 'string' }, { type: 'string' }],
    });
    const rows = context.files.get('rows.jsonl')?.toString() ?? '';
    expect([rows.length, rows.slice(0, 22), rows.slice(-22)]).toEqual([
      60_001 * 22,
      '{"id":"1","name":"x"}\n',
      '{"id":"x","name":"y"}\n',
    ]);
  });

  (process.platform === 'linux' ? test : test.skip)(
    'rejects with a storage fault if the disk cannot be read',
    async () => {
      // The kernel answers a read of this file with EIO.
      const unreadable = { ...asTable({}), inputPath: '/proc/self/mem' };
      const error = await tables(unreadable, { report: () => undefined }).catch((thrown: unknown) => thrown);
      expect([error, isDependencyFault(error)]).toMatchObject([{ code: 'storage_unavailable' }, true]);
    },
  );

  test('rejects with the fault in the middle of the file, or with the error of the disk', async () => {
    await writeFile(context.inputPath, `id,name\n${'1,x\n'.repeat(60_000)}x\n`);
    await expect(tables(asTable({ maxErrors: 0 }), { report: () => undefined })).rejects.toMatchObject({
      code: 'table_damaged',
      detail: expect.stringContaining('line 60002'),
    });
    const full = new Error('disk full');
    const publishFile: FakeContext['publishFile'] = async (_file, chunks) => {
      for await (const _chunk of chunks) throw full;
      throw new Error('no chunk');
    };
    await expect(tables({ ...asTable({}), publishFile }, { report: () => undefined })).rejects.toBe(full);
  });

  test('has released the file that it was writing when it is aborted', async () => {
    await writeFile(context.inputPath, `id,name\n${'1,x\n'.repeat(600_000)}`);
    let hasLetGo = false;
    const publishFile: FakeContext['publishFile'] = async (_file, chunks) => {
      try {
        for await (const _chunk of chunks) controller.abort(new Error('cancelled'));
      } finally {
        hasLetGo = true;
      }
      throw new Error('all of it came');
    };
    await expect(tables({ ...asTable({}), publishFile }, { report: () => undefined })).rejects.toThrow('cancelled');
    expect(hasLetGo).toBe(true);
  });
});

test('a process that cannot be started is not blamed on the file', async () => {
  const nowhere = isolatedRunner(pathToFileURL(compiled('test/helpers/faulty/nothing.ts')), { nodeOptions: [] });
  await expect(nowhere(context, { report: () => undefined })).rejects.not.toBeInstanceOf(ProcessDied);
});
