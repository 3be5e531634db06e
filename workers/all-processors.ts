import { createKinds } from '../src/kinds/kinds.ts';
import { loadOwnProcessors, type ProcessorSource } from '../src/kinds/own/load-processors.ts';
import type { Config } from '../src/settings/config.ts';
import { PASSED_TIME } from './charged-time.ts';
import { ownEntries } from './own/own-entries.ts';
import type { OwnRunSettings } from './own/run-module.ts';
import { createProcessors, type ProcessorTable } from './processors.ts';

/**
 * Creates the processors of the service and of others. Rejects with `ProcessorError` if one of them cannot be used.
 * @param ofChildren environment and options of the processes that run modules
 */
export async function createAllProcessors(
  config: Config,
  sources: readonly ProcessorSource[] = config.processors,
  ofChildren: Pick<OwnRunSettings, 'environment' | 'nodeOptions'> = {},
): Promise<ProcessorTable> {
  const { attemptTimeoutMs } = config;
  const own = await loadOwnProcessors(sources);
  const others = await ownEntries(own, { attemptTimeoutMs, ...ofChildren });
  const accepted = createKinds(
    config,
    own.map(({ kind }) => kind),
  );
  return { ...createProcessors(config, PASSED_TIME, others), accepted };
}
