import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { resolve } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { pidsOf } from '../helpers/faulty/faults.ts';
import { FaultyUpload } from '../helpers/faulty/upload.ts';
import { isAlive } from '../helpers/is-alive.ts';
import { patienceMs } from '../helpers/patience.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';

const FAULTY = { workerEntry: resolve('test/helpers/faulty/worker.ts'), keepsWorkers: true };

/** Long enough for an attempt to begin. */
const ATTEMPT_MS = Math.min(patienceMs(1000), 2000);

let service: Service;

afterAll(async () => {
  await service.stop();
});

function latestWorker(): ServiceProcess {
  const worker = service.workers.at(-1);
  if (worker === undefined) throw new Error('no worker was started');
  return worker;
}

function workerOf(pid: number | undefined): ServiceProcess | undefined {
  return service.workers.find(({ child }) => child.pid === pid);
}

describe('an attempt that takes too long', () => {
  let obeying: FaultyUpload;
  let blocking: FaultyUpload;
  beforeAll(async () => {
    service = await startService({
      ...FAULTY,
      workers: 2,
      env: { ATTEMPT_TIMEOUT_MS: String(ATTEMPT_MS), SHUTDOWN_GRACE_MS: '1000' },
    });
    obeying = await new FaultyUpload(service).send([['wait'], ['hang']]);
    blocking = await new FaultyUpload(service).send([['block'], ['finish']]);
  });

  test('is ended by its time limit, and killed if it runs in a process of its own', async () => {
    expect(await obeying.outcome()).toMatchObject({
      status: 422,
      code: 'picture_timeout',
      state: 'failed',
      final: true,
    });
    const [first, second] = pidsOf(obeying.eventLog);
    expect([workerOf(first) === undefined, workerOf(second), (await obeying.document()).progress.attempt]).toEqual([
      false,
      undefined,
      2,
    ]);
  });

  test('and blocks a thread has its process replaced, and continues elsewhere', async () => {
    expect(await blocking.outcome()).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
    await eventually('the worker to be replaced', () => service.workers.length >= 3);
    expect(workerOf(pidsOf(blocking.eventLog)[0])?.child.signalCode).toBe('SIGKILL');
  });
});

describe('a worker that gets a signal to stop', () => {
  beforeAll(async () => {
    await service.stop();
    service = await startService({ ...FAULTY, env: { SHUTDOWN_GRACE_MS: '0' } });
  });

  test('requeues uploads that continue past the grace period, even if a thread is stuck', async () => {
    const upload = await new FaultyUpload(service).send([['block'], ['finish']]);
    const outcome = upload.outcome();
    await upload.begun(1);
    await latestWorker().end('SIGTERM');
    expect(await outcome).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
    expect(await upload.deaths()).toBe(0);
  });

  test('ends the isolated process too, without blame for the file', async () => {
    const upload = await runsAlone([['hang'], ['finish']]);
    const alone = await upload.begun(1);
    await latestWorker().end('SIGTERM');
    expect(await upload.outcome()).toMatchObject({ state: 'completed' });
    expect([alone === pidsOf(upload.eventLog)[1], await upload.deaths()]).toEqual([false, 2]);
    expect(isAlive(alone)).toBe(false);
  });

  test('by SIGKILL loses its isolated process too, without blame for the file', async () => {
    const upload = await runsAlone([['spin'], ['finish']]);
    const orphan = await upload.begun(1);
    await latestWorker().end('SIGKILL');
    expect(await upload.outcome()).toMatchObject({ state: 'completed' });
    expect(await upload.deaths()).toBe(3);
    await eventually('the orphan to be gone', () => !isAlive(orphan));
  });
});

/** Sends an upload whose attempts have died twice already, so it runs alone. */
async function runsAlone(attempts: Parameters<FaultyUpload['send']>[0]): Promise<FaultyUpload> {
  const before = new FaultyUpload(service);
  await before.send([['until-released', 'finish']]);
  await before.begun(1);
  const upload = await new FaultyUpload(service).send(attempts);
  await upload.setDeaths(2);
  await before.release();
  return upload;
}
