import { createFaultyProcessors } from '../../../test/helpers/faulty/processors.ts';
import { runWorkerProcess } from '../../../workers/services.ts';

/** A worker as it is served, timing and all, that does what the orders in a file say. */
runWorkerProcess({
  createProcessors: createFaultyProcessors,
  isolatedEntry: new URL('../../../test/helpers/faulty/isolated.js', import.meta.url),
});
