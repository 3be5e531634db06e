import { ConfigError, type Config } from '../src/settings/config.ts';
import type { ProcessorTable } from './processors.ts';

/** Creates the processors. `kinds` are those of `WORKER_KINDS`, default all. Throws a `ConfigError` for others. */
export async function openProcessors(
  { createProcessors }: { createProcessors: (config: Config) => ProcessorTable | Promise<ProcessorTable> },
  config: Config,
): Promise<{ processors: ProcessorTable; kinds: readonly string[] }> {
  const processors = await createProcessors(config);
  const { workerKinds } = config;
  const unknown = workerKinds.find((kind) => !processors.kinds.includes(kind));
  if (unknown !== undefined)
    throw new ConfigError(
      `No processor takes the kind ${unknown}. Correct WORKER_KINDS. The kinds are ${processors.kinds.join(', ')}.`,
    );
  return { processors, kinds: workerKinds.length === 0 ? processors.kinds : workerKinds };
}
