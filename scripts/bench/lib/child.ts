import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compiled } from '../../../test/helpers/compiled.ts';

const END_GRACE_MS = 5_000;

/** The questions that a child answers: a function for each, with at most one argument. */
export type Questions<Q> = { [K in keyof Q]: (argument: never) => unknown };

type Argument<F> = F extends (...parameters: infer P) => unknown ? P : never;
type Answer<F> = F extends (...parameters: never) => infer R ? Awaited<R> : never;

/** A process of the benchmark that answers questions over its IPC channel. */
export interface Child<Q extends Questions<Q>> {
  readonly pid: number;
  /** Asks the child. Rejects with the child's error, or if the child ends first. */
  ask<K extends keyof Q & string>(question: K, ...argument: Argument<Q[K]>): Promise<Answer<Q[K]>>;
  /** Ends the child so that it writes its profile, or kills it after a while. Safe to call twice. */
  end(): Promise<void>;
}

/** A reply on the channel. `serveQuestions` sends it. */
export type Reply = { number: number } & ({ answer: unknown } | { error: string });

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts a process from `children/`. Its log is dropped, and its standard error goes to that of this process.
 * @param name name of the file without its extension
 * @param env further environment variables
 */
export function startChild<Q extends Questions<Q>>(
  name: string,
  nodeOptions: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Child<Q> {
  const entry = compiled(fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url)));
  const child = fork(entry, {
    execArgv: [...nodeOptions],
    env: { ...env, ...process.env },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const pending = new Map<number, Pending>();
  const fail = (why: string) => {
    for (const { reject } of pending.values()) reject(new Error(`the ${name} process ${why}`));
    pending.clear();
  };
  child.on('message', (reply: Reply) => settle(pending, name, reply));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => fail(`ended (${signal ?? code})`));
  let questions = 0;
  return {
    pid: child.pid ?? 0,
    ask: (question, ...argument) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new Error(`the ${name} process has ended`));
        const number = ++questions;
        pending.set(number, { resolve: (answer) => resolve(answer as never), reject });
        child.send({ number, question, argument: argument[0] });
      }),
    end: () => endChild(child),
  };
}

function settle(pending: Map<number, Pending>, name: string, reply: Reply): void {
  const asked = pending.get(reply.number);
  pending.delete(reply.number);
  if ('error' in reply) asked?.reject(new Error(`${name}: ${reply.error}`));
  else asked?.resolve(reply.answer);
}

/** Closes the channel of a child, which then ends by itself. Kills it if it does not. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), END_GRACE_MS);
  await exited;
  clearTimeout(timer);
}
