import { loadOrExit } from './shutdown.ts';

/* Starts an API process. Packages are imported dynamically, so that a missing package is reported in one line. */
const { runApi } = await loadOrExit(() => import('./run-api.ts'));
await runApi();
