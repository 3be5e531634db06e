import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { guardAgainstOrphan } from './orphan-guard.ts';
import { childEnvironment } from '../src/settings/config.ts';

const PROBE_INTERVAL_MS = 10;
const KEPT_OUTPUT_CHARS = 4000;
/** The last output of a child comes at most this long after its exit. */
const OUTPUT_WITHIN_MS = 1_000;

/** A process to keep running. */
export interface ChildSpec {
  /** The name in the logs, unique within a supervisor. */
  readonly name: string;
  /** Children of one role that are next to each other are stopped together. */
  readonly role: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly argv0?: string;
  /** The variables of the child, besides variables that any program needs, such as `PATH`. It gets no others. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * How the child reports that it is up. A Node child sends `{ type }` over IPC, exits when that channel closes, and
   * shares our output. Any other child is probed. Its output is kept for an error report, and a guard ends it if this
   * process is killed.
   */
  readonly ready: { readonly type: string } | { readonly probe: () => Promise<boolean> };
  /** Receives every message of a Node child. */
  readonly onMessage?: (message: unknown) => void;
  /** Time from SIGTERM to SIGKILL. */
  readonly graceMs: number;
}

/** How a process ended. If it could not be started, all fields except `output` are null or empty. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of the output of a probed child, or the reason why it could not be started. */
  readonly output: string;
}

/** One run of a child, from spawn to exit. */
export interface ChildLife {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
  /** Sends SIGTERM, and SIGKILL to its whole group after the grace. Resolves with false if SIGKILL was needed. */
  end(): Promise<boolean>;
  /** Sends SIGKILL to the whole process group. */
  kill(): void;
}

/**
 * Spawns the child in its own process group, so that a Ctrl-C at the terminal does not reach it. `onReady` is called at
 * most once, with the message if it came by IPC.
 */
export function launchChild(spec: ChildSpec, onReady: (message: unknown) => void): ChildLife {
  const child = spawn(spec.command, spec.args, {
    ...(spec.argv0 === undefined ? {} : { argv0: spec.argv0 }),
    detached: true,
    env: { ...childEnvironment('server'), ...spec.env },
    stdio: stdioOf(spec),
  });
  const ended = untilEnded(child);
  const kill = (): void => killGroup(child.pid);
  const end = (): Promise<boolean> => endWithin(child, ended, spec.graceMs);
  if (spec.onMessage !== undefined) child.on('message', spec.onMessage);
  if ('type' in spec.ready) listenForReady(child, spec.ready.type, onReady);
  else void probeUntilReady(child, spec.ready.probe, onReady);
  if ('probe' in spec.ready) guardWhileAlive(child, ended, spec.graceMs);
  return { pid: child.pid, ended, end, kill };
}

function stdioOf(spec: ChildSpec): StdioOptions {
  return 'type' in spec.ready ? ['ignore', 'inherit', 'inherit', 'ipc'] : ['ignore', 'pipe', 'pipe'];
}

function untilEnded(child: ChildProcess): Promise<ChildEnd> {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // Processes that the child started in its group end with it.
      killGroup(child.pid);
      // The pipes may still hold the last output, which explains the exit. They may stay open, because other processes
      // have them.
      const end = (): void => resolve({ code, signal, output });
      const timer = setTimeout(end, OUTPUT_WITHIN_MS);
      child.once('close', () => {
        clearTimeout(timer);
        end();
      });
    });
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, output: error.message });
    });
  });
}

function listenForReady(child: ChildProcess, type: string, onReady: (message: unknown) => void): void {
  const onMessage = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== type) return;
    child.off('message', onMessage);
    onReady(message);
  };
  child.on('message', onMessage);
}

async function probeUntilReady(
  child: ChildProcess,
  probe: () => Promise<boolean>,
  onReady: (message: unknown) => void,
): Promise<void> {
  while (isRunning(child)) {
    if (await probe()) return onReady(undefined);
    await delay(PROBE_INTERVAL_MS);
  }
}

/**
 * Starts a guard for a child that cannot notice the death of this process. It waits longer than the users of the child,
 * which have the same grace, so that they end first.
 */
function guardWhileAlive(child: ChildProcess, ended: Promise<ChildEnd>, graceMs: number): void {
  if (child.pid === undefined) return;
  const callOff = guardAgainstOrphan(child.pid, Math.ceil(graceMs / 1000) + 1, 'TERM');
  void ended.then(callOff);
}

async function endWithin(child: ChildProcess, ended: Promise<ChildEnd>, graceMs: number): Promise<boolean> {
  let isKilled = false;
  const deadline = setTimeout(() => {
    isKilled = true;
    killGroup(child.pid);
  }, graceMs);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(deadline);
  return !isKilled;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has already ended.
  }
}
