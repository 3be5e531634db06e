import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createJobResults, type JobResults } from '../../../src/jobs/job-results.ts';
import { HELD_JOB_QUEUE } from '../events/job-queue.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { OWN_USAGE, type ServerQuestions } from '../lib/server-questions.ts';

const KEEP_ALIVE_MS = 75_000;

let jobs: JobResults | undefined;

/** Serves held results of BullMQ jobs. */
serveQuestions<ServerQuestions>({
  async start({ redisUrl, maxHeld }) {
    jobs = createJobResults({ redis: redisUrl, prefix: HELD_JOB_QUEUE.prefix, queues: [HELD_JOB_QUEUE.name], maxHeld });
    await jobs.opened;
    const server = createServer(jobs.handle).listen(0, '127.0.0.1');
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  held: () => jobs?.held ?? 0,
  ...OWN_USAGE,
});
