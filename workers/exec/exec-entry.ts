import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import type { ExecManifest } from '../../src/kinds/own/exec-manifest.ts';
import { ProcessorError } from '../../src/kinds/own/load-processors.ts';
import { programEnvironment } from '../../src/settings/config.ts';
import type { ProcessorEntry } from '../processors.ts';
import { runProgram } from './run-program.ts';

/** Makes the entry of a program. Rejects with `ProcessorError` if the program does not exist or cannot be executed. */
export async function execEntry(label: string, manifest: ExecManifest): Promise<ProcessorEntry> {
  const { name, types, timeoutMs } = manifest;
  await requireProgram(label, manifest);
  return { kind: name, types, separateLimitMs: timeoutMs, run: runProgram(manifest) };
}

/** Rejects with `ProcessorError` if the program of a manifest does not exist or cannot be executed. */
export async function requireProgram(label: string, { command, folder }: ExecManifest): Promise<void> {
  const [program = ''] = command;
  if (!(await isProgram(program, folder)))
    throw new ProcessorError(`PROCESSORS: ${label}: the program ${program} does not exist or is not executable`);
}

async function isProgram(program: string, folder: string): Promise<boolean> {
  if (program.includes('/')) return await isExecutable(resolve(folder, program));
  const folders = (programEnvironment(folder)['PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  for (const path of folders) if (await isExecutable(resolve(path, program))) return true;
  return false;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
