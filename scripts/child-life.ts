import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { guardAgainstOrphan } from './orphan-guard.ts';
import { childEnvironment } from '../src/settings/config.ts';

const PROBE_INTERVAL_MS = 10;
const KEPT_OUTPUT_CHARS = 4000;

/** One process to keep running. */
export interface ChildSpec {
  /** Names the process in logs; unlike any other of the same supervisor. */
  readonly name: string;
  /** Neighbours of one role are stopped together. */
  readonly role: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly argv0?: string;
  /** On top of what any program needs (`PATH`, the language); nothing else of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * A Node child says `{ type }` over IPC when it is up, and ends itself when that channel
   * closes; its output is ours. Any other child is probed; its output is kept for the day it
   * fails, and a guard ends it should this process be killed.
   */
  readonly ready: { readonly type: string } | { readonly probe: () => Promise<boolean> };
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
}

/** How a process ended. All but `output` null or empty when it could not be started at all. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what a probed child printed, or why it could not be started. */
  readonly output: string;
}

/** One run of a child, from spawn to exit. */
export interface ChildLife {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
  /** SIGTERM, and SIGKILL to its whole group when the grace is over. False when it took that. */
  end(): Promise<boolean>;
  /** SIGKILL to its whole group. */
  kill(): void;
}

/**
 * Spawns the child in a process group of its own, so that a Ctrl-C at the terminal does not
 * reach it. `onReady` is called at most once, with the message where it came by IPC.
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
      // What it started in its group goes with it.
      killGroup(child.pid);
      // The pipes may hold its last words still, which are the ones that say why.
      setImmediate(() => resolve({ code, signal, output }));
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

/** Those who use it have the same grace to end after us: the guard lets them go first. */
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
    // Nobody of the group is left.
  }
}
