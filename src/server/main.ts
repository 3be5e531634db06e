import { loadOrExit } from './shutdown.ts';

/* An API process. Imports nothing statically that needs a package, so that a missing one is reported in one line. */
const { runApi } = await loadOrExit(() => import('./run-api.ts'));
await runApi();
