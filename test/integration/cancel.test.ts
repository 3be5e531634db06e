import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { faultyFile, readEventLog, type Act } from '../helpers/faulty/faults.ts';
import { FaultyUpload } from '../helpers/faulty/upload.ts';
import { isAlive } from '../helpers/is-alive.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus, openPatch } from '../helpers/tus-requests.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

let service: Service;
let url: string;
let otherUrl: string;

beforeAll(async () => {
  service = await startService({
    apis: 2,
    workerEntry: resolve('test/helpers/faulty/worker.ts'),
    env: { SWEEP_PERIOD_MS: '300' },
  });
  [url = '', otherUrl = ''] = service.urls;
});
afterAll(async () => {
  await service.stop();
});

const HALF = faultyFile({ eventLog: '/nowhere', attempts: [] });

const ways = {
  cancel: async (id: string) => await requestJson<Upload>(`${otherUrl}/uploads/${id}/cancel`, { method: 'POST' }),
  delete: async (id: string) => await requestJson<Upload>(`${otherUrl}/uploads/${id}`, { method: 'DELETE' }),
};

/** Resolves when the other process reports bytes of the upload. */
async function receiving(id: string): Promise<void> {
  await eventually(
    'its bytes',
    async () => (await getJson<Progress>(`${otherUrl}/uploads/${id}/progress`)).body.bytes?.received > 0,
  );
}

async function filesOf(id: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, id)).map((path) => basename(path));
}

describe('an upload whose sender pauses', () => {
  async function pausedPut(id: string): Promise<{ status: string; body: Problem }> {
    const head = `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * HALF.length}\r\n\r\n`;
    const answer = await rawRequest(url, head, HALF);
    return { status: answer.slice(9, 12), body: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Problem };
  }

  test.each(['cancel', 'delete'] as const)(
    'ends at a %s in another process without a further byte, and leaves no files',
    async (way) => {
      const id = randomUUID();
      const sent = pausedPut(id);
      await receiving(id);
      expect((await ways[way](id)).status).toBe(way === 'cancel' ? 202 : 204);
      expect(await sent).toMatchObject({
        status: '410',
        body: { code: 'upload_cancelled', id, state: 'cancelled', final: true },
      });
      await eventually('no files', async () => (await filesOf(id)).length === 0);
    },
  );

  test('ends when a later request takes over in another process', async () => {
    const id = randomUUID();
    const sent = pausedPut(id);
    await receiving(id);
    const bytes = faultyFile({ eventLog: `${service.directory}/${id}.eventLog`, attempts: [['finish']] });
    const later = await putFile<Upload>(otherUrl, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect(await sent).toMatchObject({ status: '409', body: { code: 'upload_superseded', id } });
    expect([later.status, later.body.state]).toEqual([200, 'completed']);
  });

  test('ends at a cancel also if it is resumable', async () => {
    const id = await createTus(url, { 'Upload-Length': '5000' });
    const patch = openPatch(url, id, 0, 5000);
    await patch.send(HALF);
    await receiving(id);
    await ways.cancel(id);
    expect(await patch.answer).toMatchObject({ status: 410 });
    await eventually('no files', async () => (await filesOf(id)).length === 0);
  });
});

describe('an upload that a worker processes', () => {
  async function atWork(...acts: Act[]): Promise<FaultyUpload> {
    const upload = await new FaultyUpload(service).send([acts]);
    await upload.begun(1);
    return upload;
  }

  test.each(['cancel', 'delete'] as const)(
    'stops at a %s in any process, and its waiters get the outcome',
    async (way) => {
      const upload = await atWork('publish', 'wait');
      const outcome = upload.outcome();
      await eventually('it to be held', async () => heldInMetrics(await (await fetch(`${url}/metrics`)).text()) === 1);
      await ways[way](upload.id);
      expect(await outcome).toMatchObject({ code: 'upload_cancelled', state: 'cancelled', final: true });
      await eventually('the signal', () => readEventLog(upload.eventLog).some(({ event }) => event === 'aborted'));
      await eventually('no files', async () => (await filesOf(upload.id)).length === 0);
    },
  );

  test('changes nothing and leaves no files if it ignores the cancel', async () => {
    const upload = await atWork('until-released', 'publish', 'finish');
    await ways.cancel(upload.id);
    await upload.release();
    const next = await new FaultyUpload(service).send([['finish']]);
    expect(await next.outcome()).toMatchObject({ state: 'completed' });
    expect((await upload.document()).state).toBe('cancelled');
    await eventually('no files', async () => (await filesOf(upload.id)).length === 0);
  });

  test('in a process of its own ends with that process, even in an endless loop', async () => {
    const before = await atWork('until-released', 'finish');
    const upload = await new FaultyUpload(service).send([['spin']]);
    await upload.setDeaths(2);
    await before.release();
    const alone = await upload.begun(1);
    await ways.cancel(upload.id);
    await eventually('the process to be gone', () => !isAlive(alone));
    expect(await upload.outcome()).toMatchObject({ code: 'upload_cancelled' });
  });
});
