import { createProcessors } from './processors.ts';
import { runWorkerProcess } from './services.ts';

/** The entry beside this file, in the form this file has: TypeScript under tsx, JavaScript once built. */
const isolatedEntry = new URL(
  import.meta.url.endsWith('.ts') ? './isolation/main.ts' : './isolation/main.js',
  import.meta.url,
);

runWorkerProcess({ createProcessors, isolatedEntry });
