import { loadOwnProcessors } from '../src/kinds/own/load-processors.ts';
import { requireProgram } from '../workers/exec/exec-entry.ts';

/**
 * Rejects with `ProcessorError` if a processor of `PROCESSORS` cannot be used. `npm start` checks them before it starts
 * anything, so that one line is printed and not one for each process.
 */
export async function checkProcessors(sources: readonly string[]): Promise<void> {
  for (const { label, code } of await loadOwnProcessors(sources)) {
    if (code.type === 'exec') await requireProgram(label, code.manifest);
  }
}
