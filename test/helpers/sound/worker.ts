import { runWorkerProcess } from '../../../workers/services.ts';
import { createSoundProcessors } from './processors.ts';

/** A worker process as it is served, with a processor more. */
runWorkerProcess({ createProcessors: createSoundProcessors, isolatedEntry: new URL('./isolated.js', import.meta.url) });
