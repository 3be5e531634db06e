import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import Router from '@koa/router';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import Koa, { type Context } from 'koa';
import multer from 'multer';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { listen } from '../../upload/children/serve-uploads.ts';
import type { StackJob, StackServerQuestions, StackSetup } from '../questions.ts';
import { CHANNEL, changeRecord, syncFile, syncFolder } from './careful.ts';

const HOLD_MS = 50_000;
const QUEUE = { plain: 'stack-plain', careful: 'stack-careful' };

serveQuestions<StackServerQuestions>({
  async start(setup) {
    const app = new Koa();
    const router = new Router();
    router.post('/uploads', setup.isCareful ? await careful(setup) : plain(setup));
    app.use(router.routes());
    const handle = app.callback();
    return await listen((request, response) => void handle(request, response));
  },
});

/** Receives a form with one file, by multer. */
type Receive = (ctx: Context) => Promise<{ path: string; type: string }>;

function receiver(directory: string): Receive {
  // The types of multer require Express, but it uses only members that every request has.
  const handle = multer({ dest: directory }).single('file') as unknown as (
    request: unknown,
    response: unknown,
    next: (error?: unknown) => void,
  ) => void;
  return async (ctx) => {
    await new Promise<void>((resolve, reject) =>
      handle(ctx.req, ctx.res, (error) => (error instanceof Error ? reject(error) : resolve())),
    );
    const { file } = ctx.req as typeof ctx.req & { file?: { path: string; mimetype: string } };
    if (file === undefined) throw new Error('the form has no file');
    return { path: file.path, type: file.mimetype };
  };
}

/** Makes the obvious stack: multer to disk, a job, and `waitUntilFinished`. */
function plain({ redisUrl, directory }: StackSetup): (ctx: Context) => Promise<void> {
  const connection = () => new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<StackJob>(QUEUE.plain, { connection: connection() });
  const events = new QueueEvents(QUEUE.plain, { connection: connection() });
  const receive = receiver(directory);
  return async (ctx) => {
    const { path, type } = await receive(ctx);
    const id = randomUUID();
    const job = await queue.add('digest', { id, path, type }, { jobId: id, removeOnComplete: 1000 });
    ctx.body = { id, state: 'completed', result: await job.waitUntilFinished(events, HOLD_MS) };
  };
}

/**
 * Makes a stack with the same promise as the service: a record with states before the first byte, synced files, an id
 * that works only once, progress events, and the answer from an event.
 */
async function careful({ redisUrl, directory }: StackSetup): Promise<(ctx: Context) => Promise<void>> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const subscriber = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<StackJob>(QUEUE.careful, { connection: redis });
  const receive = receiver(directory);
  const waiting = new Map<string, (state: string) => void>();
  subscriber.on('message', (_channel, message: string) => {
    const { id, state } = JSON.parse(message) as { id: string; state: string };
    if (state === 'completed' || state === 'failed') waiting.get(id)?.(state);
  });
  await subscriber.subscribe(CHANNEL);
  return async (ctx) => {
    const id = randomUUID();
    if ((await redis.hsetnx(`stack:${id}`, 'createdAt', Date.now())) === 0) return ctx.throw(409);
    await changeRecord(redis, id, { state: 'receiving', percent: '0' });
    const received = await receive(ctx);
    const path = join(directory, id);
    await syncFile(received.path);
    await rename(received.path, path);
    await syncFolder(directory);
    const finished = new Promise<string>((resolve) => waiting.set(id, resolve));
    try {
      await changeRecord(redis, id, { state: 'queued', percent: '30' });
      await queue.add('digest', { id, path, type: received.type }, { jobId: id, removeOnComplete: true });
      await finished;
    } finally {
      waiting.delete(id);
    }
    const record = await redis.hgetall(`stack:${id}`);
    ctx.body = { id, state: record['state'], result: JSON.parse(record['result'] ?? 'null') as unknown };
  };
}
