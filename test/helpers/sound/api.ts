import { loadConfig } from '../../../src/settings/config.ts';
import { createKindTable } from '../../../src/kinds/kinds.ts';
import { pictureKind } from '../../../src/kinds/picture.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { startApi } from '../../../src/server/services.ts';
import { closeOnSignal } from '../../../src/server/shutdown.ts';
import { sound } from './kind.ts';

const CLOSE_LIMIT_MS = 5000;

const config = loadConfig();
const log = createLog('api', config);
const api = await startApi(config, log, createKindTable([pictureKind({ defaults: config.pictureOptions }), sound]));
closeOnSignal(log, CLOSE_LIMIT_MS, () => api.close(0));
process.send?.({ type: 'listening', url: api.url });
