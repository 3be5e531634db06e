import { createFaultyProcessors } from '../../../test/helpers/faulty/processors.ts';
import { runWorkerProcess } from '../../../workers/worker-process.ts';

/** A real worker with its real timing that performs the acts in a file. */
runWorkerProcess({
  createProcessors: createFaultyProcessors,
  isolatedEntry: new URL('../../../test/helpers/faulty/isolated.js', import.meta.url),
});
