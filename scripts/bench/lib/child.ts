import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compiled } from '../../../test/helpers/compiled.ts';

const END_GRACE_MS = 5_000;

/** What a child answers: a function for each question, with one argument or none. */
export type Questions<Q> = { [K in keyof Q]: (argument: never) => unknown };

type Argument<F> = F extends (...parameters: infer P) => unknown ? P : never;
type Answer<F> = F extends (...parameters: never) => infer R ? Awaited<R> : never;

/** A process of the benchmark, which is asked over its IPC channel. */
export interface Child<Q extends Questions<Q>> {
  readonly pid: number;
  /** Rejects with what the child threw, or when it ends first. */
  ask<K extends keyof Q & string>(question: K, ...argument: Argument<Q[K]>): Promise<Answer<Q[K]>>;
  /** Lets it go, so that a profile is written; kills it when that takes too long. Safe to call twice. */
  end(): Promise<void>;
}

/** A reply as it crosses the channel; `serveQuestions` is the other side. */
export type Reply = { number: number } & ({ answer: unknown } | { error: string });

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts one of `children/`. Its log goes nowhere, its complaints to our standard error.
 * @param name of the file, without ending.
 */
export function startChild<Q extends Questions<Q>>(name: string, nodeOptions: readonly string[] = []): Child<Q> {
  const entry = compiled(fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url)));
  const child = fork(entry, {
    execArgv: [...nodeOptions],
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

/** A child ends by itself when its channel closes. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), END_GRACE_MS);
  await exited;
  clearTimeout(timer);
}
