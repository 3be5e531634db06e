import { loadDefinition } from '../../src/kinds/own/load-definition.ts';
import { serveIsolated } from '../isolation/serve-isolated.ts';
import { requireProcessFile } from './process-file.ts';
import { readIsolatedArguments } from './isolated-arguments.ts';
import { runOwn } from './run-own.ts';

/* A separate process that runs one file with the processor of one module. */
const { place, temporaryFolder } = readIsolatedArguments(process.argv[2]);

serveIsolated({
  find: () => ({
    kind: place.name,
    types: [],
    // Loaded in the run, so that the time limit applies to it and an error is reported.
    run: async (context, hooks) => {
      const { kind, load } = await loadDefinition(place);
      const processFile = requireProcessFile(await load());
      return await runOwn({ kind: kind.name, processFile, temporaryFolder }, context, hooks);
    },
  }),
});
