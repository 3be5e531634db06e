import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import type { Registry } from '../../../src/deferred/registry.ts';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import type { ProgressState } from '../../../src/record/progress.ts';
import { eventRoutes } from '../../../src/routes/event-routes.ts';
import { eventually } from '../../helpers/eventually.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';
import { eventOf, FakeRecords, ID, openRegistry, recordOf } from '../record/states.ts';

let served: Served;
let records: FakeRecords;
let registry: Registry<ProgressState>;
let manager: DeferredManager;

async function start(maxTimeoutMs = 60_000): Promise<void> {
  records = new FakeRecords();
  records.set(recordOf());
  registry = openRegistry();
  manager = new DeferredManager({ reportFault: (error) => expect(error).toBeUndefined() });
  const router = new Router({ strict: true });
  eventRoutes(router, {
    records,
    registry,
    maxTimeoutMs,
    defaultTimeoutMs: 60_000,
    addressOf: () => '192.0.2.1',
    mountPath: '',
  });
  served = await serve(problemResponses(silentLog), deferredMiddleware(manager), routesOf(router));
}
beforeEach(async () => await start());
afterEach(async () => {
  await eventually('every stream to be released', () => manager.held + registry.size === 0);
  await served.close();
});

const connect = async (query = '') => await fetch(`${served.url}/uploads/${ID}/events${query}`);

test('the stream sends the state, then each event, and ends after the final one', async () => {
  const stream = await connect();
  registry.wake(ID, eventOf({ version: 8, percent: 70 }));
  registry.wake(ID, eventOf({ version: 9, state: 'completed', percent: 100 }));
  expect((await stream.text()).match(/^id: \d+$/gm)).toEqual(['id: 7', 'id: 8', 'id: 9']);
});

test('the stream ends with the last state of an upload that was deleted during a gap in the events', async () => {
  const stream = await connect('?since=7');
  records.set(recordOf({ version: 8, state: 'cancelled', deleted: true }));
  registry.wakeAll();
  expect(await stream.text()).toContain('"state":"cancelled"');
});

test('the stream reads the record again until Redis answers after a gap', async () => {
  const stream = await connect('?since=7');
  records.fault = new ServiceError('service_unavailable', 'Away.');
  registry.wakeAll();
  await eventually('a read that fails', () => records.reads >= 2);
  records.fault = undefined;
  records.set(recordOf({ version: 8, state: 'completed', percent: 100 }));
  expect(await stream.text()).toContain('"state":"completed"');
});

test('the stream ends after ten times the longest wait, so that it is not kept for ever', async () => {
  await served.close();
  await start(10);
  expect(await (await connect('?since=7')).text()).toMatch(/^retry: \d+\n\n$/);
});

test('an eleventh stream of one upload from one address is rejected (429)', async () => {
  const streams = await Promise.all(Array.from({ length: 10 }, () => connect()));
  const refused = await connect();
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
  records.set(recordOf({ version: 8, state: 'completed', percent: 100 }));
  registry.wakeAll();
  await Promise.all([...streams, refused].map((stream) => stream.text()));
  await eventually('the places to be free', () => registry.size === 0);
  await (await connect()).text();
});

test.each(['lastEventId=9', 'since=3&lastEventId=9', 'lastEventId=&lastEventId=9'])(
  'the stream resumes after the query %s, as libraries send the last id',
  async (query) => {
    records.set(recordOf({ version: 9, state: 'completed', percent: 100 }));
    expect((await connect(`?${query}`)).status).toBe(204);
  },
);

test('the stream ignores a lastEventId that is not a version', async () => {
  records.set(recordOf({ version: 9, state: 'completed', percent: 100 }));
  expect((await connect('?lastEventId=x')).status).toBe(200);
});

test('the answer to HEAD has the headers of the stream and no Content-Length', async () => {
  const head = await fetch(`${served.url}/uploads/${ID}/events`, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(Object.fromEntries(head.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  expect(head.headers.has('content-length')).toBe(false);
});

test('the stream of an unknown upload is a 404 and leaves no waiter', async () => {
  records.now.clear();
  expect((await connect()).status).toBe(404);
  for (let tries = 0; tries < 12; tries += 1) await (await connect()).text();
  expect((await connect()).status).toBe(404);
});

describe('a stream with since=0 of an upload that has not begun', () => {
  beforeEach(() => records.now.clear());

  test('begins with the first event of the upload', async () => {
    const stream = connect('?since=0');
    await eventually('the stream to wait', () => registry.size === 1 && manager.held === 1);
    records.set(recordOf({ version: 1, state: 'receiving' }));
    registry.wake(ID, eventOf({ version: 1, state: 'receiving' }));
    registry.wake(ID, eventOf({ version: 2, state: 'completed', percent: 100 }));
    expect((await (await stream).text()).match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2']);
  });

  test('finds at the end of its time an upload whose first event was lost', async () => {
    const stream = connect('?since=0&timeout=200');
    await eventually('the stream to wait', () => records.reads === 1 && manager.held === 1);
    records.set(recordOf({ version: 2, state: 'completed', percent: 100 }));
    expect(await (await stream).text()).toContain('id: 2');
  });

  test('ends with the deletion of the upload, although both of its events were lost', async () => {
    const stream = connect('?since=0&timeout=200');
    await eventually('the stream to wait', () => records.reads === 1 && manager.held === 1);
    records.set(recordOf({ version: 2, state: 'cancelled', deleted: true }));
    expect(await (await stream).text()).toContain('"state":"cancelled"');
    expect((await connect('?since=0')).status).toBe(410);
  });

  test.each(['?since=0&timeout=0', '?since=0&timeout=20', '?since=1', ''])(
    'is a 404 if none begins in time: %s',
    async (query) => {
      const answer = await connect(query);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'unknown_upload', id: ID });
    },
  );

  test('is a 503 if Redis is away when its time is up', async () => {
    const stream = connect('?since=0&timeout=200');
    await eventually('the stream to wait', () => records.reads === 1 && manager.held === 1);
    records.fault = new ServiceError('service_unavailable', 'Away.');
    expect((await stream).status).toBe(503);
  });
});
