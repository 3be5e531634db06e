import { inspect } from 'node:util';
import { isDependencyFault } from '../../src/storage/dependency-fault.ts';
import type { PipelineContext, PipelineReport } from '../pipeline.ts';
import type { AnyResult } from '../processor.ts';
import type { ProcessorTable } from '../processors.ts';
import { createThrottle } from '../throttle.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { watchParent } from '../../src/telemetry/watchdog.ts';
import type { FromIsolated, IsolatedOutcome, ToIsolated } from './messages.ts';
import { RemotePublisher } from './remote-publisher.ts';

type Run = Extract<ToIsolated, { type: 'run' }>;

/**
 * Turns this process into an isolated process: it runs one file for the worker that started it, and the worker then
 * kills it. It exits when the worker exits. It ignores SIGTERM, SIGINT and SIGHUP, because the worker decides when it
 * ends.
 */
export function serveIsolated(processors: Pick<ProcessorTable, 'find'>): void {
  const controller = new AbortController();
  const publisher = new RemotePublisher(send);
  watchParent();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  process.on('message', (message: ToIsolated) => {
    if (message.type === 'run') void run(processors, message, controller.signal, publisher);
    else if (message.type === 'abort') controller.abort(new Error('aborted by the worker'));
    else publisher.onAnswer(message);
  });
}

async function run(
  processors: Pick<ProcessorTable, 'find'>,
  { upload, inputPath }: Run,
  signal: AbortSignal,
  publisher: RemotePublisher,
): Promise<void> {
  const context: PipelineContext = {
    upload,
    inputPath,
    signal,
    publishVariant: (variant, bytes) => publisher.publishVariant(variant, bytes),
    publishFile: (file, chunks) => publisher.publishFile(file, chunks),
  };
  const reports = createThrottle<PipelineReport>({
    isUrgent: (report, previous) => report.stage !== previous.stage,
    emit: (report) => send({ type: 'report', report }),
  });
  send({ type: 'begun' });
  const outcome = await outcomeOf(async () => {
    const entry = processors.find(upload.type);
    if (entry === undefined) throw new Error(`no processor takes ${upload.type}`);
    return await entry.run(context, {
      report: (report) => reports.push(report),
      stepEnded: (stage, durationMs) => send({ type: 'step-ended', stage, durationMs }),
    });
  });
  reports.close();
  send(outcome);
}

async function outcomeOf(run: () => Promise<AnyResult>): Promise<IsolatedOutcome> {
  try {
    return { type: 'done', result: await run() };
  } catch (error) {
    // Checked here, where the error still has its causes. A library may report an unreadable disk as a damaged file.
    const isOfDependency = isDependencyFault(error);
    if (error instanceof UnprocessableError && !isOfDependency) {
      return { type: 'unprocessable', code: error.code, detail: error.detail, cause: textOf(error.cause) };
    }
    return { type: 'fault', stack: textOf(error), isOfDependency };
  }
}

/**
 * Returns the text of an error for the worker's log. A thrown value may be anything, even an object whose members
 * throw.
 */
function textOf(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? thrown.stack : inspect(thrown, { depth: 2 });
    return String(text ?? thrown).slice(0, MOST_TEXT_CHARS);
  } catch {
    return 'a value that cannot be described';
  }
}

const MOST_TEXT_CHARS = 10_000;

/** Sends a message. If the channel is closed, the process is about to exit, and the message is dropped. */
function send(message: FromIsolated): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
