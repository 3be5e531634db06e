import { pictureKind } from '../../../../src/kinds/picture.ts';
import { FIRST_STAGE } from '../../../../src/record/progress.ts';
import { FAULTY_RESULT } from '../../../../test/helpers/faulty/faults.ts';
import {
  createProcessors,
  createProcessorTable,
  processorEntry,
  type ProcessorTable,
} from '../../../../workers/processors.ts';
import { runWorkerProcess } from '../../../../workers/services.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';

/** Named as the first step of every real processor. */
const NOTHING = { name: FIRST_STAGE, weight: 1, run: () => Promise.resolve() };

/** A real worker process whose picture processor does nothing unless it is asked to. */
serveQuestions<WorkerQuestions>({
  start({ redisUrl, directory, concurrency, settings, digests }) {
    Object.assign(process.env, {
      REDIS_URL: redisUrl,
      STORAGE: `file:${directory}`,
      WORKER_CONCURRENCY: String(concurrency),
      ...settings,
    });
    runWorkerProcess({
      createProcessors: digests === true ? createProcessors : createNoopProcessors,
      isolatedEntry: new URL('../../../../workers/isolation/main.js', import.meta.url),
    });
  },
  ...OWN_USAGE,
});

function createNoopProcessors(): ProcessorTable {
  const picture = pictureKind();
  return createProcessorTable([
    processorEntry(picture, { kind: picture.name, steps: [NOTHING], begin: () => ({}), result: () => FAULTY_RESULT }),
  ]);
}
