import { loadConfig } from '../../src/settings/config.ts';
import { ownChargeClock } from '../charged-time.ts';
import { createProcessors } from '../processors.ts';
import { serveIsolated } from './serve-isolated.ts';

serveIsolated(createProcessors(loadConfig(), ownChargeClock()));
