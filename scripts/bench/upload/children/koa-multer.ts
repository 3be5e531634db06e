import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { multerTo } from './multer-to.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/**
 * Serves uploads by the obvious solution: Koa, multer to disk, a job, and 202. It has no hash, type, record or sync.
 */
serveUploads(({ redisUrl, directory }) => {
  const queue = new Queue('bench-uploads', { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
  const receive = multerTo(directory);
  const router = new Router();
  router.post('/uploads', async (ctx) => {
    await receive(ctx.req, ctx.res);
    const id = randomUUID();
    await queue.add('digest', { id }, { jobId: id });
    ctx.status = 202;
    ctx.body = { uploads: [{ id }] };
  });
  const app = new Koa();
  app.use(router.routes());
  const handle = app.callback();
  return listen((request, response) => void handle(request, response));
});
