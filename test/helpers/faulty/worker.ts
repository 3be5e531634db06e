import { runWorkerProcess } from '../../../workers/services.ts';
import { createFaultyProcessors } from './processors.ts';
import { patienceMs } from '../patience.ts';

/** A worker process as it is served, with processors that do harm, and that notices faults sooner. */
runWorkerProcess({
  createProcessors: createFaultyProcessors,
  isolatedEntry: new URL('./isolated.js', import.meta.url),
  timing: {
    lockMs: Math.min(patienceMs(2_000), 8_000),
    lookMs: 500,
    loopLimitMs: Math.min(patienceMs(3_000), 10_000),
    abortGraceMs: 500,
  },
});
