import { createProcessors } from './processors.ts';
import { runWorkerProcess } from './services.ts';

runWorkerProcess({ createProcessors, isolatedEntry: new URL('./isolation/main.js', import.meta.url) });
