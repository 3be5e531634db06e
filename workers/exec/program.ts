import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { programEnvironment } from '../../src/settings/config.ts';
import { waitAtMost } from '../../src/server/shutdown.ts';
import { killProcessesOf, newRunMark } from './processes-of.ts';

/** After SIGTERM the program may clean up for this time. It is shorter than the grace period at shutdown. */
const STOP_GRACE_MS = 1_000;

/**
 * The output is read for this time after the end of the program. A process that left the group may keep it open for
 * ever.
 */
const OUTPUT_WITHIN_MS = 1_000;

/** The units of `ulimit`: kibibytes of memory, and blocks of a file. */
const KIB = 1024;
const BLOCK_BYTES = 512;

/**
 * Sets the limits, and runs the program as a child. A guard in the same process group waits for the end of the worker,
 * which closes descriptor 3, and then kills the group: the worker may be killed at any time. The limit of private
 * memory (`-d`) is used, because many runtimes reserve far more address space (`-v`) than they use.
 */
const WRAPPER = `
ulimit -c 0
ulimit -d "$1" 2>/dev/null
ulimit -f "$2" 2>/dev/null
shift 2
trap : TERM
( trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0 ) </dev/null >/dev/null 2>&1 &
guard=$!
"$@" 3<&-
code=$?
kill -KILL "$guard" 2>/dev/null
wait "$guard" 2>/dev/null
exit "$code"`;

interface ProgramPlan {
  readonly command: readonly string[];
  /** Working directory of the program. */
  readonly directory: string;
  /** The folder that is `HOME` and `TMPDIR` of the program. */
  readonly home: string;
  readonly maxMemoryBytes: number;
  /** Maximum size of a single file. */
  readonly maxFileBytes: number;
}

/** How a program ended. A code of 128 or more means a signal. No code means that the wrapper itself was killed. */
export type ProgramEnd = { readonly code: number | undefined; readonly signal: NodeJS.Signals | undefined };

/** A running program, in a process group of its own. */
export class Program {
  /**
   * Resolves when the program has ended, its output is read, and all processes of its group and all that have inherited
   * its environment are killed. Rejects if it cannot be started.
   */
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  readonly #mark = newRunMark();
  #killTimer: NodeJS.Timeout | undefined;

  constructor(plan: ProgramPlan, onOutput: (chunk: Buffer) => void, onComplaint: (chunk: Buffer) => void) {
    const { command, directory, home, maxMemoryBytes, maxFileBytes } = plan;
    const limits = [Math.ceil(maxMemoryBytes / KIB), Math.ceil(maxFileBytes / BLOCK_BYTES)].map(String);
    this.#child = spawn('/bin/sh', ['-c', WRAPPER, 'sh', ...limits, ...command], {
      cwd: directory,
      env: { ...programEnvironment(home), [this.#mark.name]: this.#mark.value },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A process group of its own, so that a signal reaches all its processes, and Ctrl-C does not.
      detached: true,
    });
    this.#child.stdout?.on('data', onOutput);
    this.#child.stderr?.on('data', onComplaint);
    this.ended = this.#end();
  }

  /** The id of the process group. Undefined if the program could not be started. */
  get group(): number | undefined {
    return this.#child.pid;
  }

  /** Sends SIGTERM to the group, and SIGKILL if it has not ended after a second. */
  stop(): void {
    if (this.#killTimer !== undefined) return;
    this.#signal('SIGTERM');
    this.#killTimer = setTimeout(() => this.kill(), STOP_GRACE_MS);
  }

  /** Sends SIGKILL to the group. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  async #end(): Promise<ProgramEnd> {
    const { stdout, stderr } = this.#child;
    const closed = Promise.all(
      [stdout, stderr].map(async (stream) => stream !== null && (await once(stream, 'close'))),
    );
    try {
      return await new Promise<ProgramEnd>((resolve, reject) => {
        this.#child.once('error', reject);
        this.#child.once('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
      });
    } finally {
      clearTimeout(this.#killTimer);
      this.kill();
      // A process that left the group still has the inherited environment, unless it was cleared.
      killProcessesOf(this.#mark);
      await waitAtMost(closed, OUTPUT_WITHIN_MS);
      for (const stream of [stdout, stderr, this.#child.stdio[3]]) stream?.destroy();
    }
  }

  /** Sends a signal to the process group, if it still exists. */
  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has ended.
    }
  }
}
