import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { inheritedEnvironment } from '../../scripts/setup/command.mjs';
import { compiledForStart } from './compiled.ts';
import { eventually } from './eventually.ts';

/** A file that runs as a process of its own. */
export interface ScriptProcess {
  readonly pid: number;
  /** All of standard output up to now. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when standard output contains `text`. Rejects if the process ends without it. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

/** Starts `file` (relative to the top of the repository), compiled, in the directory `cwd`. */
export function runScript(
  file: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
): ScriptProcess {
  const child = spawn(process.execPath, [compiledForStart(file), ...args], {
    cwd,
    env: inheritedEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    printed: async (text) => {
      await eventually(`${file} to print ${text}`, () => output.stdout.includes(text) || hasEnded(child));
      if (!output.stdout.includes(text))
        throw new Error(`${file} ended without ${text}:\n${output.stdout}${output.stderr}`);
    },
    signal: (name) => void child.kill(name),
    ended: once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null)),
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
