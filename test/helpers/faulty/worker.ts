import { runWorkerProcess } from '../../../workers/services.ts';
import { createFaultyProcessors } from './processors.ts';

/** A worker process as it is served, with processors that do harm, and that notices faults sooner. */
runWorkerProcess({
  createProcessors: createFaultyProcessors,
  isolatedEntry: new URL('./isolated.js', import.meta.url),
  timing: { lockMs: 2_000, lookMs: 500, loopLimitMs: 3_000, obeyMs: 500 },
});
