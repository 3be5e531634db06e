import { runWorkerProcess } from '../../../workers/worker-process.ts';
import { createFaultyProcessors } from './processors.ts';
import { patienceMs } from '../patience.ts';

/** A real worker process with faulty processors. It notices faults sooner. */
runWorkerProcess({
  createProcessors: createFaultyProcessors,
  isolatedEntry: new URL('./isolated.js', import.meta.url),
  timing: {
    lockMs: Math.min(patienceMs(2_000), 8_000),
    stalledCheckMs: 500,
    loopLimitMs: Math.min(patienceMs(3_000), 10_000),
    abortGraceMs: 500,
  },
});
