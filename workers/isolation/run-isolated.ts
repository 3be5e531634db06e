import { Buffer } from 'node:buffer';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DerivedFile, Variant } from '../../src/wire/documents.ts';
import { childEnvironment } from '../../src/settings/config.ts';
import { storageUnavailable } from '../../src/storage/file-errors.ts';
import type { PipelineContext, PipelineHooks } from '../pipeline.ts';
import type { AnyResult } from '../processor.ts';
import type { RunProcessor } from '../processors.ts';
import { watchCharge } from '../charged-time.ts';
import { TIMED_OUT } from '../stop-reasons.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import type { FromIsolated, IsolatedOutcome, ToIsolated } from './messages.ts';
import { isOwnDeath, ProcessDied } from './process-died.ts';
import { ChunksEnded, PulledChunks } from './pull-chunks.ts';

/** After an abort, the process may clean up for this time before it is killed. */
const ABORT_GRACE_MS = 500;

/** The end of its standard error is kept, because it may say why the process has died. */
const KEPT_COMPLAINT_CHARS = 2_000;

/** How a process ended, or the error that kept it from starting. */
type ProcessEnd = { code: number | null; signal: NodeJS.Signals | null } | { error: Error };

/** How isolated processes are started, and their time limit. */
interface IsolationOptions {
  /** Options of Node for the process. Default: those with which this process was started. */
  nodeOptions?: readonly string[];
  /** Default: the part of this process's environment that an isolated process needs. */
  environment?: Readonly<Record<string, string>>;
  /**
   * Limit of the time that is charged to the file (see `charged-time`), without the start of the process. Default: no
   * limit.
   */
  timeoutMs?: number;
  /** Arguments of the module. Default: none. */
  moduleArguments?: readonly string[];
  /** If true, standard output is treated like standard error, and `printed` receives both. Default: it is inherited. */
  keepsOutput?: boolean;
}

/**
 * Creates a runner that starts a separate process for each run, so that a crash ends only that process. The process can
 * read the file. It gets no address or secret of Redis or the storage; this process publishes its files.
 * A run rejects with `ProcessDied` if the process ends on its own, with `TIMED_OUT` if it exceeds the time limit, and
 * otherwise with the error of the processor.
 * @param entry the module that calls `serveIsolated`
 */
export function isolatedRunner(entry: URL, options: IsolationOptions = {}): RunProcessor {
  const { nodeOptions = process.execArgv, timeoutMs = Infinity, moduleArguments = [], environment } = options;
  const { keepsOutput = false } = options;
  return async (context, hooks) => {
    context.signal.throwIfAborted();
    const child = fork(fileURLToPath(entry), moduleArguments, {
      execArgv: [...nodeOptions],
      env: environment ?? childEnvironment('isolated'),
      serialization: 'advanced',
      stdio: ['ignore', keepsOutput ? 'pipe' : 'inherit', 'pipe', 'ipc'],
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
  /** The error of a file that could not be published. It is the cause of the failure that the process then reports. */
  #publishError: unknown;
  readonly #pulled = new Map<number, PulledChunks>();
  readonly #publishing = new Set<Promise<void>>();

  constructor(child: ChildProcess, context: PipelineContext, hooks: PipelineHooks, timeoutMs: number) {
    this.#child = child;
    this.#context = context;
    this.#hooks = hooks;
    this.#timeoutMs = timeoutMs;
    child.on('message', (message: FromIsolated) => this.#onMessage(message));
    for (const stream of [child.stdout, child.stderr])
      stream?.on(
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
      // Running publications remove their unfinished files before the attempt ends.
      await Promise.all(this.#publishing);
      if (this.#complaint !== '') this.#hooks.printed?.(this.#complaint);
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

  #onMessage(message: FromIsolated): void {
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
        // The outcome is known. A crash in the destructors of native code must not change it.
        this.#child.kill('SIGKILL');
    }
  }

  #publish(number: number, publish: () => Promise<Variant | DerivedFile>): void {
    const answered = publish().then(
      (file) => this.#send({ type: 'published', number, file }),
      (error: unknown) => {
        if (!(error instanceof ChunksEnded)) this.#publishError ??= error;
        this.#send({ type: 'published', number });
      },
    );
    const settled = answered.finally(() => this.#publishing.delete(settled));
    this.#publishing.add(settled);
  }

  async #publishFile({ number, file }: Extract<FromIsolated, { type: 'publish-file' }>): Promise<DerivedFile> {
    const chunks = new PulledChunks(() => this.#send({ type: 'next', number }));
    this.#pulled.set(number, chunks);
    // The last messages of a process may arrive after its exit.
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
    if (this.#publishError !== undefined) throw this.#publishError;
    if (this.#outcome?.type === 'unprocessable') {
      const { code, detail, cause } = this.#outcome;
      throw new UnprocessableError(code, detail, { cause });
    }
    if (this.#outcome !== undefined) {
      const error = new Error('the isolated process reported an error', { cause: this.#outcome.stack });
      throw this.#outcome.isOfDependency ? storageUnavailable(error) : error;
    }
    if ('error' in end) throw end.error;
    if (this.#hasBegun && isOwnDeath(end.signal)) throw new ProcessDied(end.code, end.signal, this.#complaint);
    throw new Error(
      `the isolated process was ended from outside, or did not start: ${end.signal ?? `code ${end.code}`}`,
      { cause: this.#complaint },
    );
  }

  #send(message: ToIsolated): void {
    // A process may end at any time. Its exit is handled in `#run`.
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
