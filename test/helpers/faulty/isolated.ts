import { serveIsolated } from '../../../workers/isolation/serve-isolated.ts';
import { createFaultyProcessors } from './processors.ts';

serveIsolated(createFaultyProcessors());
