import type { FileContext, FileToPublish, ProcessFile, PublishedFile } from '../../src/kinds/own/definition.ts';
import type { PipelineContext, PipelineHooks } from '../pipeline.ts';
import type { AnyResult } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { jsonResult } from './json-result.ts';

/** The stage until the processor names one. */
const FIRST_STAGE = 'process';

const STAGE = /^[a-z][a-z0-9-]{0,31}$/;

/** The sender receives at most this much of a detail. */
const MAX_DETAIL_CHARS = 500;

/** Size of the chunks into which a whole file is divided. */
const CHUNK_BYTES = 1024 * 1024;

/** The parameters for running a processor of somebody else. */
interface OwnRun {
  readonly kind: string;
  readonly processFile: ProcessFile<unknown>;
  readonly temporaryFolder: string;
}

/**
 * Runs the function of a processor. Resolves with its result after all its files are published. Rejects with the
 * signal's reason if the signal has fired, with `UnprocessableError` for `damaged`, and with an error for everything
 * else that a function may throw.
 */
export async function runOwn(run: OwnRun, context: PipelineContext, hooks: PipelineHooks): Promise<AnyResult> {
  context.signal.throwIfAborted();
  const publishing: Promise<unknown>[] = [];
  const reporter = createReporter(hooks);
  try {
    const made: unknown = await run.processFile(fileContext(run, context, reporter, publishing));
    await Promise.all(publishing);
    context.signal.throwIfAborted();
    return jsonResult(run.kind, made);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof Error) throw error;
    throw new Error(`the processor ${run.kind} threw a value that is no error`, { cause: error });
  } finally {
    reporter.stop();
    await Promise.allSettled(publishing);
  }
}

function fileContext(
  { temporaryFolder }: OwnRun,
  context: PipelineContext,
  reporter: Reporter,
  publishing: Promise<unknown>[],
): FileContext<unknown> {
  const { id, publicId, type, sizeBytes, options } = context.upload;
  return {
    upload: { id, publicId, type, sizeBytes },
    options,
    inputPath: context.inputPath,
    temporaryFolder,
    signal: context.signal,
    report: reporter.report,
    publish(file, content) {
      const published = publish(context, file, content);
      // A rejection is reported at the end of the run, if the processor does not wait for it.
      published.catch(() => undefined);
      publishing.push(published);
      return published;
    },
    damaged: (detail) => new UnprocessableError('file_damaged', plainDetail(detail)),
  };
}

async function publish(
  context: PipelineContext,
  { name, type }: FileToPublish,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<PublishedFile> {
  const format = name.slice(name.lastIndexOf('.') + 1);
  const { size, url } = await context.publishFile({ name, format, type }, chunksOf(content));
  return { name, size, url };
}

async function* chunksOf(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  if (!(content instanceof Uint8Array)) {
    for await (const chunk of content) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return;
  }
  for (let at = 0; at < content.length; at += CHUNK_BYTES) yield Buffer.from(content.subarray(at, at + CHUNK_BYTES));
}

interface Reporter {
  report: (fraction: number, stage?: string) => void;
  stop(): void;
}

/**
 * Creates the reporter. It ignores reported values that are not numbers or short words, and a fraction that goes down.
 */
function createReporter(hooks: PipelineHooks): Reporter {
  let [reached, stage, isOver] = [0, FIRST_STAGE, false];
  hooks.report({ stage, fraction: reached });
  return {
    report(fraction, named) {
      if (isOver || typeof fraction !== 'number' || Number.isNaN(fraction)) return;
      if (typeof named === 'string' && STAGE.test(named)) stage = named;
      reached = Math.min(1, Math.max(reached, fraction));
      hooks.report({ stage, fraction: reached });
    },
    stop() {
      isOver = true;
    },
  };
}

/** Removes control characters from a sentence for the sender, and cuts it. */
export function plainDetail(detail: unknown): string {
  const text = typeof detail === 'string' ? detail : '';
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  if (plain === '') return 'The file cannot be processed. Save it again in another program and upload the new file.';
  return plain.length > MAX_DETAIL_CHARS ? `${plain.slice(0, MAX_DETAIL_CHARS - 1)}…` : plain;
}
