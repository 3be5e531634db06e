import { createKinds } from '../src/kinds/kinds.ts';
import { loadOwnProcessors, type ProcessorSource } from '../src/kinds/own/load-processors.ts';
import type { Config } from '../src/settings/config.ts';
import { PASSED_TIME } from './charged-time.ts';
import { ownEntries } from './own/own-entries.ts';
import type { OwnRunSettings } from './own/run-module.ts';
import { createProcessors, type ProcessorTable } from './processors.ts';

/** The processors of a worker inside another application, and the options of the processes that run modules. */
interface EmbeddedProcessors extends Pick<OwnRunSettings, 'environment' | 'nodeOptions'> {
  readonly sources: readonly ProcessorSource[];
}

/**
 * Creates the processors of the service and of others. Rejects with `ProcessorError` if one of them cannot be used.
 * @param embedded default: the processors of the settings, in a process of the service
 */
export async function createAllProcessors(config: Config, embedded?: EmbeddedProcessors): Promise<ProcessorTable> {
  const { attemptTimeoutMs } = config;
  const { sources, ...ofChildren } = embedded ?? { sources: config.processors };
  const own = await loadOwnProcessors(sources, { isEmbedded: embedded !== undefined });
  const others = await ownEntries(own, { attemptTimeoutMs, ...ofChildren });
  const accepted = createKinds(
    config,
    own.map(({ kind }) => kind),
  );
  return { ...createProcessors(config, PASSED_TIME, others), accepted };
}
