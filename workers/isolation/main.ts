import { loadConfig } from '../../src/settings/config.ts';
import { createProcessors } from '../processors.ts';
import { serveIsolated } from './serve-isolated.ts';

serveIsolated(createProcessors(loadConfig()));
