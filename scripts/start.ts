import { loadOrExit } from '../src/server/shutdown.ts';

/* `npm start`. Imports nothing statically that needs a package, so that a missing one is reported in one line. */
const { runAll } = await loadOrExit(() => import('./run-all.ts'));
process.exitCode = await runAll();
