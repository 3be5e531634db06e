import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecManifest } from '../../src/kinds/own/exec-manifest.ts';
import { FOLDER_MODE } from '../../src/storage/local-folders.ts';
import { jsonResult } from '../own/json-result.ts';
import { withRunFolder } from '../own/run-folder.ts';
import type { PipelineContext, PipelineHooks } from '../pipeline.ts';
import type { AnyResult } from '../processor.ts';
import type { RunProcessor } from '../processors.ts';
import { TIMED_OUT } from '../stop-reasons.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { OutputPublisher } from './output-publisher.ts';
import { Program, type ProgramEnd } from './program.ts';
import { ProgramOutput } from './program-output.ts';
import { outputOver, tooCostly, watchLimits, type ExceededLimit } from './watch-limits.ts';

const STAGE = 'process';

/** The end of standard error is kept for the log. */
const KEPT_COMPLAINT_CHARS = 4_000;

/** The exit code of the wrapper if the program was ended by SIGXFSZ: a file became too large (signal(7)). */
const FILE_TOO_LARGE = 128 + 25;

/**
 * Makes the run of a program. It rejects with the signal's reason if the signal has fired, with `TIMED_OUT`, with
 * `UnprocessableError` if the program rejects the file or exceeds a limit, and otherwise with an error: a fault.
 */
export function runProgram(manifest: ExecManifest): RunProcessor {
  return async (context, hooks) =>
    await withRunFolder(async (folder) => {
      context.signal.throwIfAborted();
      return await new ProgramRun(manifest, folder, context, hooks).run();
    });
}

class ProgramRun {
  readonly #manifest: ExecManifest;
  /** The folder that contains the output folder and the home folder. */
  readonly #folder: string;
  readonly #context: PipelineContext;
  readonly #hooks: PipelineHooks;
  readonly #output: ProgramOutput;
  readonly #publisher: OutputPublisher;
  #printedBytes = 0;
  #complaint = '';
  #reached = 0;
  #isTimedOut = false;
  #exceeded: ExceededLimit | undefined;
  #stop = (): void => undefined;

  constructor(manifest: ExecManifest, folder: string, context: PipelineContext, hooks: PipelineHooks) {
    this.#manifest = manifest;
    this.#folder = folder;
    this.#context = context;
    this.#hooks = hooks;
    this.#publisher = new OutputPublisher(join(folder, 'out'), context, () => this.#stop());
    this.#output = new ProgramOutput({
      fraction: (fraction) => this.#report(fraction),
      file: (name, type) => this.#publisher.add(name, type),
      ended: () => this.#stop(),
    });
  }

  async run(): Promise<AnyResult> {
    this.#report(0);
    const end = await this.#runToEnd();
    this.#output.end();
    await this.#publisher.settled();
    this.#log();
    if (this.#exceeded === undefined && this.#isCutShort(end)) this.#exceeded = 'output';
    this.#exceeded ??= await outputOver(this.#measured);
    return this.#resultOf(end);
  }

  async #runToEnd(): Promise<ProgramEnd> {
    const { timeoutMs, maxMemoryBytes } = this.#manifest;
    const { signal } = this.#context;
    const program = await this.#start();
    this.#stop = () => program.stop();
    const timer = setTimeout(() => {
      this.#isTimedOut = true;
      program.stop();
    }, timeoutMs);
    signal.addEventListener('abort', this.#stop, { once: true });
    // The signal may have fired while the folders were made.
    if (signal.aborted) program.stop();
    const endWatch = watchLimits({
      ...this.#measured,
      group: program.group ?? 0,
      maxMemoryBytes,
      onExceeded: (limit) => {
        this.#exceeded = limit;
        program.kill();
      },
    });
    try {
      return await program.ended;
    } finally {
      endWatch();
      clearTimeout(timer);
      signal.removeEventListener('abort', this.#stop);
    }
  }

  async #start(): Promise<Program> {
    const { command, folder: directory, maxMemoryBytes, maxOutputBytes } = this.#manifest;
    const [out, home] = [join(this.#folder, 'out'), join(this.#folder, 'home')];
    for (const path of [out, home]) await mkdir(path, { mode: FOLDER_MODE });
    return new Program(
      {
        command: [...command, this.#context.inputPath, out],
        directory,
        home,
        maxMemoryBytes,
        maxFileBytes: maxOutputBytes,
      },
      (chunk) => {
        this.#printedBytes += chunk.length;
        this.#output.add(chunk);
      },
      (chunk) => (this.#complaint = (this.#complaint + chunk.toString('latin1')).slice(-KEPT_COMPLAINT_CHARS)),
    );
  }

  get #measured() {
    return {
      folder: this.#folder,
      maxOutputBytes: this.#manifest.maxOutputBytes,
      printedBytes: () => this.#printedBytes,
    };
  }

  #report(fraction: number): void {
    this.#reached = Math.min(1, Math.max(this.#reached, fraction));
    this.#hooks.report({ stage: STAGE, fraction: this.#reached });
  }

  #log(): void {
    const { ignored } = this.#output;
    if (ignored !== undefined) this.#hooks.printed?.(`${ignored.count} lines ignored: ${ignored.first.join('\n')}`);
    if (this.#complaint !== '') this.#hooks.printed?.(Buffer.from(this.#complaint, 'latin1').toString('utf8'));
  }

  #isCutShort({ code, signal }: ProgramEnd): boolean {
    return code === FILE_TOO_LARGE || signal === 'SIGXFSZ';
  }

  #resultOf({ code, signal }: ProgramEnd): AnyResult {
    const { name, maxMemoryBytes, maxOutputBytes } = this.#manifest;
    this.#context.signal.throwIfAborted();
    if (this.#exceeded === 'memory') throw tooCostly(`more than ${maxMemoryBytes} bytes of memory`);
    if (this.#exceeded === 'output') throw tooCostly(`more than ${maxOutputBytes} bytes of output`);
    const { detail, result } = this.#output;
    if (detail !== undefined) throw new UnprocessableError('file_damaged', detail);
    if (this.#isTimedOut) throw TIMED_OUT;
    this.#publisher.throwFault();
    this.#output.throwFault();
    if (code !== 0) throw new Error(`the program ${name} ended with ${signal ?? `exit code ${code}`}`);
    if (result === undefined) throw new Error(`the program ${name} ended without a result`);
    return jsonResult(name, result);
  }
}
