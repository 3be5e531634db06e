import { setTimeout as delay } from 'node:timers/promises';
import { pictureKind } from '../../../../src/kinds/picture.ts';
import { FIRST_STAGE } from '../../../../src/record/progress.ts';
import { TINY_PICTURE } from '../../../../test/helpers/results.ts';
import {
  createProcessors,
  createProcessorTable,
  processorEntry,
  type ProcessorTable,
} from '../../../../workers/processors.ts';
import { runWorkerProcess } from '../../../../workers/worker-process.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';

/** Makes a processor that only waits. Its step has the name of the first step of every real processor. */
function waitFor(workMs: number) {
  return { name: FIRST_STAGE, weight: 1, run: () => (workMs === 0 ? Promise.resolve() : delay(workMs)) };
}

/** A real worker process whose picture processor does nothing unless it is asked to. */
serveQuestions<WorkerQuestions>({
  start({ redisUrl, directory, concurrency, settings, digests, workMs = 0 }) {
    Object.assign(process.env, {
      REDIS_URL: redisUrl,
      STORAGE: `file:${directory}`,
      WORKER_CONCURRENCY: String(concurrency),
      ...settings,
    });
    runWorkerProcess({
      createProcessors: digests === true ? createProcessors : () => createNoopProcessors(workMs),
      isolatedEntry: new URL('../../../../workers/isolation/main.js', import.meta.url),
    });
  },
  ...OWN_USAGE,
});

function createNoopProcessors(workMs: number): ProcessorTable {
  const picture = pictureKind();
  const steps = [waitFor(workMs)];
  return createProcessorTable([
    processorEntry(picture, { kind: picture.name, steps, begin: () => ({}), result: () => TINY_PICTURE }),
  ]);
}
