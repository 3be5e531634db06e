import { Buffer } from 'node:buffer';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DerivedFile, Variant } from '../../src/wire/documents.ts';
import { childEnvironment } from '../../src/settings/config.ts';
import type { PipelineContext, PipelineHooks } from '../pipeline.ts';
import type { AnyResult } from '../processor.ts';
import type { RunProcessor } from '../processors.ts';
import { watchCharge } from '../charged-time.ts';
import { TIMED_OUT } from '../stop-reasons.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import type { FromIsolated, IsolatedOutcome, ToIsolated } from './messages.ts';
import { isOwnDeath, ProcessDied } from './process-died.ts';
import { ChunksEnded, PulledChunks } from './pull-chunks.ts';

/** A run that is told to stop has so long to tidy up. */
const ABORT_GRACE_MS = 500;

/** The last of what a process complains of, which may say why it ended. */
const KEPT_COMPLAINT_CHARS = 2_000;

/** How a process ended, or that it could not be started. */
type ProcessEnd = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

/** How such processes are started and bounded. */
export interface IsolationOptions {
  /** Default: those of this process. */
  nodeOptions?: readonly string[];
  /** The time that a file may be charged, see `charged-time`; by default no limit. Its start is not charged. */
  timeoutMs?: number;
}

/**
 * Runs processors in a process of their own, one for each run, which a crash or a kill of that process ends
 * and nothing else. It sees the file and nothing of Redis or the storage, whose addresses and secrets it does not get:
 * what it makes is published here.
 * A run rejects with `ProcessDied` if the process ends by itself, with `TIMED_OUT` if its time is up, and otherwise as
 * the processor does.
 * @param entry the module that calls `serveIsolated`.
 */
export function isolatedRunner(entry: URL, options: IsolationOptions = {}): RunProcessor {
  const { nodeOptions = process.execArgv, timeoutMs = Infinity } = options;
  return async (context, hooks) => {
    context.signal.throwIfAborted();
    const child = fork(fileURLToPath(entry), {
      execArgv: [...nodeOptions],
      env: childEnvironment('isolated'),
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    return await new IsolatedRun(child, context, hooks, timeoutMs).ended;
  };
}

class IsolatedRun {
  readonly ended: Promise<AnyResult>;
  readonly #child: ChildProcess;
  readonly #context: PipelineContext;
  readonly #hooks: PipelineHooks;
  #hasBegun = false;
  #hasEnded = false;
  readonly #timeoutMs: number;
  #isTimedOut = false;
  #endWatch = (): void => undefined;
  #outcome: IsolatedOutcome | undefined;
  #complaint = '';
  /** Why a file that it made was not published: the cause of what the process then says. */
  #refused: unknown;
  readonly #pulled = new Map<number, PulledChunks>();
  readonly #publishing = new Set<Promise<void>>();

  constructor(child: ChildProcess, context: PipelineContext, hooks: PipelineHooks, timeoutMs: number) {
    this.#child = child;
    this.#context = context;
    this.#hooks = hooks;
    this.#timeoutMs = timeoutMs;
    child.on('message', (message: FromIsolated) => this.#heard(message));
    child.stderr?.on(
      'data',
      (chunk: Buffer) => (this.#complaint = (this.#complaint + chunk.toString()).slice(-KEPT_COMPLAINT_CHARS)),
    );
    this.ended = this.#run();
  }

  async #run(): Promise<AnyResult> {
    const { signal, upload, inputPath } = this.#context;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      this.#send({ type: 'abort' });
      timer = setTimeout(() => this.#child.kill('SIGKILL'), ABORT_GRACE_MS);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send({ type: 'run', upload, inputPath });
      const end = await untilEnded(this.#child);
      this.#hasEnded = true;
      for (const chunks of this.#pulled.values()) chunks.cut();
      // What they began to write they remove before the attempt is over.
      await Promise.all(this.#publishing);
      return this.#resultOf(end);
    } finally {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
      this.#endWatch();
    }
  }

  #boundTime(): void {
    if (this.#timeoutMs === Infinity || this.#child.pid === undefined) return;
    this.#endWatch = watchCharge(this.#child.pid, this.#timeoutMs, () => {
      this.#isTimedOut = true;
      this.#child.kill('SIGKILL');
    });
  }

  #heard(message: FromIsolated): void {
    switch (message.type) {
      case 'begun':
        this.#hasBegun = true;
        this.#boundTime();
        return;
      case 'report':
        this.#hooks.report(message.report);
        return;
      case 'step-ended':
        this.#hooks.stepEnded?.(message.stage, message.durationMs);
        return;
      case 'publish':
        this.#publish(message.number, async () => {
          const { variant, bytes } = message;
          return await this.#context.publishVariant(
            variant,
            Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          );
        });
        return;
      case 'publish-file':
        this.#publish(message.number, () => this.#publishFile(message));
        return;
      case 'chunk':
        this.#pulled.get(message.number)?.answer(message.chunk);
        return;
      default:
        this.#outcome = message;
        // All is said: what may go wrong at its end, in the destructors of native code, is nobody's concern.
        this.#child.kill('SIGKILL');
    }
  }

  #publish(number: number, publish: () => Promise<Variant | DerivedFile>): void {
    const answered = publish().then(
      (file) => this.#send({ type: 'published', number, file }),
      (error: unknown) => {
        if (!(error instanceof ChunksEnded)) this.#refused ??= error;
        this.#send({ type: 'published', number });
      },
    );
    const settled = answered.finally(() => this.#publishing.delete(settled));
    this.#publishing.add(settled);
  }

  async #publishFile({ number, file }: Extract<FromIsolated, { type: 'publish-file' }>): Promise<DerivedFile> {
    const chunks = new PulledChunks(() => this.#send({ type: 'next', number }));
    this.#pulled.set(number, chunks);
    // Its last messages may come after its end.
    if (this.#hasEnded) chunks.cut();
    try {
      return await this.#context.publishFile(file, chunks);
    } finally {
      this.#pulled.delete(number);
    }
  }

  #resultOf(end: ProcessEnd): AnyResult {
    if (this.#outcome?.type === 'done') return this.#outcome.result;
    this.#context.signal.throwIfAborted();
    if (this.#isTimedOut) throw TIMED_OUT;
    if (this.#refused !== undefined) throw this.#refused;
    if (this.#outcome?.type === 'unprocessable') {
      const { code, detail, cause } = this.#outcome;
      throw new UnprocessableError(code, detail, { cause });
    }
    if (this.#outcome !== undefined) throw new Error('the process found a fault', { cause: this.#outcome.stack });
    if ('error' in end) throw end.error;
    if (this.#hasBegun && isOwnDeath(end.signal)) throw new ProcessDied(end.code, end.signal, this.#complaint);
    throw new Error(`the process was ended from outside, or did not start: ${end.signal ?? `code ${end.code}`}`, {
      cause: this.#complaint,
    });
  }

  #send(message: ToIsolated): void {
    // One that has ended meanwhile hears nothing any more; its end is heard of elsewhere.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

async function untilEnded(child: ChildProcess): Promise<ProcessEnd> {
  return await new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ error });
    });
  });
}
