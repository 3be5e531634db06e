import { runWorkerProcess } from '../../../workers/worker-process.ts';
import { createSoundProcessors } from './processors.ts';

/** A real worker process with one more processor. */
runWorkerProcess({ createProcessors: createSoundProcessors, isolatedEntry: new URL('./isolated.js', import.meta.url) });
