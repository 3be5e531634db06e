import '../../helpers/one-realm.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Queue, Worker, type Job } from 'bullmq';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import Koa from 'koa';
import { createJobResults, type JobResults } from '../../../src/jobs/job-results.ts';
import { openWaitingConnection, type Redis } from '../../../src/queue/connection.ts';
import { eventually } from '../../helpers/eventually.ts';
import { listen } from '../../helpers/listen.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

const PREFIX = `{jobs-${randomUUID()}}`;
const QUEUE = 'mail';

/** A job that runs until the test ends it. */
interface Running {
  job: Job;
  succeed: (value: unknown) => void;
  fail: (error: Error) => void;
}

let queue: Queue;
let worker: Worker;
let jobs: JobResults;
let server: Server;
let origin: string;
/** BullMQ does not close connections that it was given. */
const connections: Redis[] = [];
const running = new Map<string, Running>();

beforeAll(async () => {
  const redis = await sharedRedis();
  const connect = () => {
    const connection = openWaitingConnection(redis, silentLog);
    connections.push(connection);
    return connection;
  };
  queue = new Queue(QUEUE, { connection: connect(), prefix: PREFIX });
  worker = new Worker(
    QUEUE,
    (job) => new Promise((succeed, fail) => running.set(job.id ?? '', { job, succeed, fail })),
    { connection: connect(), prefix: PREFIX, concurrency: 50 },
  );
  jobs = createJobResults({
    redis,
    prefix: PREFIX,
    queues: [QUEUE],
    maxHeldPerAddress: 2,
    showReasons: true,
    logLevel: 'silent',
  });
  const app = new Koa();
  app.use(jobs.middleware);
  app.use((ctx) => {
    ctx.body = 'application';
  });
  server = createServer(app.callback());
  origin = `http://127.0.0.1:${await listen(server)}`;
  await jobs.opened;
});

beforeEach(() => running.clear());

afterAll(async () => {
  await jobs.close();
  // Some jobs still run.
  await worker.close(true);
  await queue.close();
  for (const connection of connections) connection.disconnect();
  server.close();
  server.closeAllConnections();
});

async function add(options: object = {}): Promise<string> {
  const job = await queue.add('send', { to: 'ada' }, options);
  return job.id ?? '';
}

async function started(id: string): Promise<Running> {
  await eventually('the worker to run the job', () => running.has(id));
  const found = running.get(id);
  if (found === undefined) throw new Error('no such job');
  return found;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function ask(id: string, query = ''): Promise<Answer> {
  const response = await fetch(`${origin}/jobs/${QUEUE}/${id}/result${query}`);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Sends a request, and resolves with the pending answer when the response is held. */
async function held(id: string, query = '?timeout=50000'): Promise<{ answer: Promise<Answer> }> {
  const before = jobs.held;
  const answer = ask(id, query);
  await eventually('the response to be held', () => jobs.held === before + 1);
  return { answer };
}

describe('the result of a job', () => {
  test('is answered as soon as the job is completed', async () => {
    const id = await add();
    const { answer } = await held(id);
    (await started(id)).succeed({ sent: 3 });
    expect(await answer).toEqual({
      status: 200,
      body: {
        queue: QUEUE,
        id,
        state: 'completed',
        version: 'completed',
        returnValue: { sent: 3 },
        final: true,
        timedOut: false,
      },
    });
    expect((await ask(id)).body['returnValue']).toEqual({ sent: 3 });
  });

  test('is answered even if the job is removed when it is completed', async () => {
    const id = await add({ removeOnComplete: true });
    const { answer } = await held(id);
    (await started(id)).succeed('done');
    expect(await answer).toMatchObject({ status: 200, body: { returnValue: 'done' } });
    expect(await ask(id)).toMatchObject({ status: 404, body: { code: 'unknown_job' } });
  });

  test('is a 422 with the reason when the last attempt has failed', async () => {
    const id = await add({ attempts: 2 });
    const { answer } = await held(id);
    (await started(id)).fail(new Error('first'));
    await eventually('the second attempt', () => running.get(id)?.job.attemptsStarted === 2);
    expect(jobs.held).toBe(1);
    (await started(id)).fail(new Error('no such mailbox'));
    const body = { code: 'job_failed', state: 'failed', failedReason: 'no such mailbox', final: true };
    expect(await answer).toMatchObject({ status: 422, body });
    expect(await ask(id)).toMatchObject({ status: 422, body });
  });

  test('is a 202 with the state of the job if the time is up', async () => {
    const id = await add();
    const { job, succeed } = await started(id);
    await job.updateProgress(40);
    const answer = await ask(id, '?timeout=0');
    expect(answer).toMatchObject({
      status: 202,
      body: { state: 'active', progress: 40, final: false, timedOut: true },
    });
    succeed(null);
  });

  test('is answered before its end if the job has another version than the client has seen', async () => {
    const id = await add({ delay: 100_000 });
    const { version } = (await ask(id, '?timeout=0')).body;
    expect((await ask(id, `?since=other`)).body).toMatchObject({ state: 'delayed', version, timedOut: false });
    const { answer } = await held(id, `?timeout=50000&since=${String(version)}`);
    await (await queue.getJob(id))?.promote();
    expect((await answer).body).toMatchObject({ final: false, timedOut: false });
    (await started(id)).succeed(null);
  });

  test('is a 404 if the job is removed while it waits', async () => {
    const id = await add({ delay: 100_000 });
    const { answer } = await held(id);
    await queue.remove(id);
    expect(await answer).toMatchObject({ status: 404, body: { code: 'unknown_job' } });
  });
});

describe('a request for a result', () => {
  test.each(['nobody', 'meta', 'completed', 'events', 'id', 'a%3Ab'])('is a 404 if %s is no job', async (id) => {
    expect(await ask(id)).toMatchObject({ status: 404, body: { code: 'unknown_job' } });
  });

  test('is a 404 for a queue that is not listed', async () => {
    const response = await fetch(`${origin}/jobs/secrets/1/result`);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, 'unknown_job']);
  });

  test.each(['?timeout=-1', '?timeout=1&timeout=2', '?timeout=1e3', '?since=1&since=2'])(
    'is a 400 with %s',
    async (query) => {
      expect((await ask(await add(), query)).status).toBe(400);
    },
  );

  test('is passed on if it has another path', async () => {
    for (const path of ['/', '/jobs', '/jobs/mail/1', '/jobs/mail/1/result/2', '/jobs/%zz/1/result'])
      expect(await (await fetch(origin + path)).text()).toBe('application');
  });

  test('is a 429 if its address has all its held responses already', async () => {
    const id = await add();
    const answers = [await held(id), await held(id)];
    expect(await ask(id)).toMatchObject({ status: 429, body: { code: 'too_many_held_by_address' } });
    (await started(id)).succeed(null);
    await Promise.all(answers.map(async ({ answer }) => expect((await answer).status).toBe(200)));
  });
});
