import { tmpdir } from 'node:os';
import type { OwnProcessor } from '../../src/kinds/own/load-processors.ts';
import { removeAbandonedCopies } from '../../src/storage/local-copies.ts';
import { execEntry } from '../exec/exec-entry.ts';
import type { ProcessorEntry, RunProcessor } from '../processors.ts';
import { requireProcessFile } from './process-file.ts';
import { withRunFolder } from './run-folder.ts';
import { runModule, type OwnRunSettings } from './run-module.ts';
import { runOwn } from './run-own.ts';

const ISOLATED_ENTRY = new URL('./isolated-main.js', import.meta.url);

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
    return { kind: name, types, separateLimitMs, run: runModule(code, { isolatedEntry: ISOLATED_ENTRY, ...settings }) };
  }
  const run: RunProcessor = async (context, hooks) => {
    const processFile = requireProcessFile(await code.load());
    return await withRunFolder((temporaryFolder) =>
      runOwn({ kind: name, processFile, temporaryFolder }, context, hooks),
    );
  };
  return { kind: name, types, run, isOnlyHere: true };
}
