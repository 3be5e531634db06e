import { loadOrExit } from '../src/server/shutdown.ts';
import { collectRarely } from './rare-collections.ts';

/* A worker process. Imports nothing statically that needs a package, so that a missing one is reported in one line. */
collectRarely();
const [{ runWorkerProcess }, { createAllProcessors }] = await loadOrExit(() =>
  Promise.all([import('./worker-process.ts'), import('./all-processors.ts')]),
);
runWorkerProcess({
  createProcessors: createAllProcessors,
  isolatedEntry: new URL('./isolation/main.js', import.meta.url),
});
