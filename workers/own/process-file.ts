import { defaultExport } from '../../src/kinds/own/default-export.ts';
import type { ProcessFile, ProcessorDefinition } from '../../src/kinds/own/definition.ts';

type Loaded = Awaited<ReturnType<ProcessorDefinition<unknown>['load']>>;

/** Returns the function that `load` has resolved with. Throws if there is none. */
export function requireProcessFile(loaded: Loaded): ProcessFile<unknown> {
  const exported = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded;
  const found = defaultExport(exported);
  if (typeof found !== 'function')
    throw new Error('load did not resolve with a function, or a module that exports one');
  return found as ProcessFile<unknown>;
}
