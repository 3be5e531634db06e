import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import { Job, Queue, QueueEvents } from 'bullmq';
import Koa from 'koa';
import { JOB_QUEUE } from '../events/job-queue.ts';
import { openRedis } from '../lib/open-redis.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { OWN_USAGE, type ServerQuestions } from '../lib/server-questions.ts';

const TIMEOUT_MS = 50_000;
const KEEP_ALIVE_MS = 75_000;

let held = 0;

/** The obvious solution: a Koa handler that waits for the job. */
serveQuestions<ServerQuestions>({
  async start({ redisUrl }) {
    const queue = new Queue(JOB_QUEUE.name, { connection: openRedis(redisUrl), prefix: JOB_QUEUE.prefix });
    const events = new QueueEvents(JOB_QUEUE.name, {
      connection: openRedis(redisUrl),
      prefix: JOB_QUEUE.prefix,
      lastEventId: '0-0',
    });
    // Each waiting handler adds listeners of its own.
    queue.setMaxListeners(0);
    events.setMaxListeners(0);
    await events.waitUntilReady();
    const server = createServer(createApp(queue, events).callback()).listen(0, '127.0.0.1');
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  held: () => held,
  ...OWN_USAGE,
});

function createApp(queue: Queue, events: QueueEvents): Koa {
  const router = new Router();
  router.get('/jobs/:id', async (ctx) => {
    const job = await Job.fromId(queue, ctx.params['id'] ?? '');
    if (job === undefined) return;
    held += 1;
    try {
      ctx.body = await job.waitUntilFinished(events, TIMEOUT_MS);
    } finally {
      held -= 1;
    }
  });
  const app = new Koa();
  app.silent = true;
  app.use(router.routes());
  return app;
}
