import { tmpdir } from 'node:os';
import type { OwnProcessor } from '../../src/kinds/own/load-processors.ts';
import { removeAbandonedCopies } from '../../src/storage/local-copies.ts';
import { execEntry } from '../exec/exec-entry.ts';
import { isolatedRunner } from '../isolation/run-isolated.ts';
import type { ProcessorEntry, RunProcessor } from '../processors.ts';
import { isolatedArguments } from './isolated-arguments.ts';
import { requireProcessFile } from './process-file.ts';
import { withRunFolder } from './run-folder.ts';
import { runOwn } from './run-own.ts';

const ISOLATED_ENTRY = new URL('./isolated-main.js', import.meta.url);

/** How processors of others are run. */
export interface OwnRunSettings {
  /** Limit of one file in ms, for modules. Programs have their own. */
  readonly attemptTimeoutMs: number;
  /** As in `IsolationOptions`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** As in `IsolationOptions`. */
  readonly nodeOptions?: readonly string[];
  /** Default: the module in this folder. Tests give the compiled one. */
  readonly isolatedEntry?: URL;
}

/**
 * Makes the entries of the processors of others. A module runs in a separate process for each file, and so does a
 * program. An object cannot be sent to a process, so it runs in this one. Rejects with `ProcessorError` for a program
 * that does not exist.
 */
export async function ownEntries(
  processors: readonly OwnProcessor[],
  settings: OwnRunSettings,
): Promise<ProcessorEntry[]> {
  // Folders of workers that were killed.
  if (processors.length > 0) await removeAbandonedCopies(tmpdir()).catch(() => 0);
  return await Promise.all(processors.map((processor) => ownEntry(processor, settings)));
}

async function ownEntry(processor: OwnProcessor, settings: OwnRunSettings): Promise<ProcessorEntry> {
  const { kind, code } = processor;
  const { name, types } = kind;
  if (code.type === 'exec') return await execEntry(processor.label, code.manifest);
  if (code.type === 'module') {
    const separateLimitMs = settings.attemptTimeoutMs;
    return { kind: name, types, separateLimitMs, run: runModule(code.place, settings) };
  }
  const run: RunProcessor = async (context, hooks) => {
    const processFile = requireProcessFile(await code.load());
    return await withRunFolder((temporaryFolder) =>
      runOwn({ kind: name, processFile, temporaryFolder }, context, hooks),
    );
  };
  return { kind: name, types, run, isOnlyHere: true };
}

function runModule(
  place: Parameters<typeof isolatedArguments>[0]['place'],
  { attemptTimeoutMs: timeoutMs, isolatedEntry = ISOLATED_ENTRY, ...ofChild }: OwnRunSettings,
): RunProcessor {
  return async (context, hooks) =>
    await withRunFolder(async (temporaryFolder) => {
      const moduleArguments = isolatedArguments({ place, temporaryFolder });
      const run = isolatedRunner(isolatedEntry, { ...ofChild, timeoutMs, moduleArguments, keepsOutput: true });
      return await run(context, hooks);
    });
}
