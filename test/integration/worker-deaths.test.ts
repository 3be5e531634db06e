import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { faultyFile, pidsOf } from '../helpers/faulty/faults.ts';
import { FaultyUpload } from '../helpers/faulty/upload.ts';
import { listen } from '../helpers/listen.ts';
import { startService, type Service } from '../helpers/service.ts';

const FAULTY = { workerEntry: resolve('test/helpers/faulty/worker.ts'), keepsWorkers: true };

let service: Service;

afterAll(async () => {
  await service.stop();
});

describe('a worker that ends while it processes a file', () => {
  beforeAll(async () => {
    service = await startService({ ...FAULTY, workers: 2 });
  });

  test('by a kill costs one attempt, whose files are removed', async () => {
    const upload = await new FaultyUpload(service).send([
      ['publish', 'hang'],
      ['publish', 'finish'],
    ]);
    const outcome = upload.outcome();
    const killed = await upload.begun(1);
    await upload.published(1);
    process.kill(killed, 'SIGKILL');
    expect(await outcome).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
    expect(await upload.deaths()).toBe(1);
    await eventually(
      'the files of the dead to be gone',
      async () => (await upload.attemptFolders()).join() === 'attempt-2',
    );
  });

  test('by a pause past its lock is fenced when it continues, and removes its files', async () => {
    const upload = await new FaultyUpload(service).send([
      ['publish', 'until-released', 'publish', 'finish'],
      ['publish', 'finish'],
    ]);
    const outcome = upload.outcome();
    const paused = await upload.begun(1);
    await upload.published(1);
    process.kill(paused, 'SIGSTOP');
    expect(await outcome).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
    await upload.release();
    process.kill(paused, 'SIGCONT');
    const woken = service.workers.find(({ child }) => child.pid === paused);
    await eventually('the late writer to be rejected', () =>
      woken?.lines().some(({ msg }) => msg === 'attempt superseded'),
    );
    await eventually('its files to be gone', async () => (await upload.attemptFolders()).join() === 'attempt-2');
    expect(await upload.outcome()).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
  });

  test('because its event loop blocks is killed by its own watchdog', async () => {
    const upload = await new FaultyUpload(service).send([['spin'], ['finish']]);
    const outcome = upload.outcome();
    const stuck = await upload.begun(1);
    expect(await outcome).toMatchObject({ state: 'completed', progress: { attempt: 2 } });
    const worker = service.workers.find(({ child }) => child.pid === stuck);
    await eventually('it to be gone', () => worker?.child.signalCode === 'SIGKILL');
    expect(worker?.output()).toContain('the event loop is stuck');
  });
});

describe('a file that crashes workers', () => {
  beforeAll(async () => {
    await service.stop();
    service = await startService({
      ...FAULTY,
      env: { WORKER_CONCURRENCY: '2', NODE_OPTIONS: '--max-old-space-size=96', IMPORT_ALLOW: '127.0.0.1' },
    });
  });

  test('runs alone after two deaths and fails there, and another file of these workers succeeds', async () => {
    const neighbour = await new FaultyUpload(service).send([['hang'], ['hang'], ['until-released', 'finish']]);
    const attempts = [
      ['with-neighbour', 'crash'],
      ['with-neighbour', 'segfault'],
      ['with-neighbour', 'eat'],
    ] as const;
    const culprit = await new FaultyUpload(service).send(attempts, neighbour);
    expect(await culprit.outcome()).toMatchObject({
      status: 422,
      code: 'picture_crashes_worker',
      state: 'failed',
      final: true,
    });
    await neighbour.release();
    expect(await neighbour.outcome()).toMatchObject({ state: 'completed' });
    // Both files run together twice. Then each runs in a process of its own, and the worker survives.
    expect(pidsOf(culprit.eventLog).slice(0, 2)).toEqual(pidsOf(neighbour.eventLog).slice(0, 2));
    const alone = [pidsOf(culprit.eventLog)[2], pidsOf(neighbour.eventLog)[2], service.workers.at(-1)?.child.pid];
    expect([new Set(alone).size, service.workers.length]).toEqual([3, 3]);
  });
});

describe('an import whose worker is killed', () => {
  let source: Server;

  afterAll(() => {
    source.closeAllConnections();
    source.close();
  });

  test('is fetched again by another worker', async () => {
    const bytes = faultyFile({ eventLog: join(service.directory, 'import.eventLog'), attempts: [['finish']] });
    let requests = 0;
    source = createServer((_, response) => {
      requests += 1;
      if (requests === 1) response.writeHead(200, { 'Content-Length': bytes.length }).write(bytes.subarray(0, 50));
      else response.end(bytes);
    });
    const port = await listen(source);
    const body = JSON.stringify({ url: `http://127.0.0.1:${port}/view.jpg` });
    const headers = { 'Content-Type': 'application/json' };
    const posted = await requestJson<UploadList>(`${service.url}/uploads`, { method: 'POST', headers, body });
    const address = `${service.url}/uploads/${posted.body.uploads[0]?.id}`;
    await eventually('the first bytes', async () => (await getJson<Upload>(address)).body.progress.bytes.received > 0);
    await service.workers.at(-1)?.end('SIGKILL');
    await eventually('the result', async () => (await getJson<Upload>(address)).body.state === 'completed');
    const { body: upload } = await getJson<Upload>(address);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect([requests, upload.file]).toMatchObject([2, { name: 'view.jpg', size: bytes.length, sha256 }]);
    const content = Buffer.from(await (await fetch(`${address}/content`)).arrayBuffer());
    expect(content.equals(bytes)).toBe(true);
  });
});
