import { loadConfig } from '../../../src/settings/config.ts';
import { serveIsolated } from '../../../workers/isolation/serve-isolated.ts';
import { createSoundProcessors } from './processors.ts';

serveIsolated(createSoundProcessors(loadConfig()));
