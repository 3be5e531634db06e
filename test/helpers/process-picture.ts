import type { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buffer } from 'node:stream/consumers';
import type { PictureResult } from '../../src/wire/documents.ts';
import { pictureKind } from '../../src/kinds/picture.ts';
import { SNIFF_BYTES, sniffType } from '../../src/intake/sniff.ts';
import { createHeicReader } from '../../workers/picture/heic/heic-reader.ts';
import { PICTURE_LIMITS, type PictureLimits } from '../../workers/picture/limits.ts';
import { PASSED_TIME } from '../../workers/charged-time.ts';
import { FileWindow } from '../../workers/picture/structure/file-window.ts';
import { createPictureProcessor } from '../../workers/picture/processor.ts';
import { AbandonedCalls } from '../../workers/picture/step-bounds.ts';
import type { PictureTools } from '../../workers/picture/tools.ts';
import { compiled } from './compiled.ts';
import { runPipeline, type PipelineReport } from '../../workers/pipeline.ts';
import type { StepContext } from '../../workers/processor.ts';

/** The compiled module of the HEIC thread. A thread cannot run the source. */
export const HEIC_THREAD = pathToFileURL(compiled('workers/picture/heic/thread.ts'));

export interface Processed {
  result: PictureResult;
  /** The bytes of each variant, by name, in the order of publishing. */
  files: Map<string, Buffer>;
  reports: PipelineReport[];
}

export interface FakeContext extends StepContext {
  readonly files: Map<string, Buffer>;
  readonly fractions: number[];
}

/** Runs the whole picture processor on `bytes`, without queue and storage. Leaves no file. */
export async function processPicture(
  bytes: Buffer,
  limits: Partial<PictureLimits> = {},
  options: unknown = {},
): Promise<Processed> {
  return await withFile(bytes, async (path) => {
    const context = { ...fakeContext(path), upload: await uploadOf(bytes, options) };
    const reports: PipelineReport[] = [];
    const result = await runPipeline(createPictureProcessor(limits, pictureKind(), PASSED_TIME, HEIC_THREAD), context, {
      report: (report) => reports.push(report),
    });
    return { result, files: context.files, reports };
  });
}

/** Makes a context that keeps what a step publishes and reports. */
export function fakeContext(inputPath: string, signal: AbortSignal = new AbortController().signal): FakeContext {
  const files = new Map<string, Buffer>();
  const fractions: number[] = [];
  return {
    upload: { id: 'id', publicId: 'public', type: 'image/jpeg', sizeBytes: 1, options: {} },
    inputPath,
    signal,
    files,
    fractions,
    reportFraction: (fraction) => fractions.push(fraction),
    async publishVariant(variant, bytes) {
      files.set(variant.name, bytes);
      return { ...variant, size: bytes.length, url: `/variants/public/${variant.name}` };
    },
    async publishFile({ name }, chunks) {
      const bytes = await buffer(chunks);
      files.set(name, bytes);
      return { size: bytes.length, url: `/variants/public/${name}` };
    },
  };
}

/** Returns the upload as the intake describes it. Unsupported bytes count as JPEG. */
export async function uploadOf(bytes: Buffer, options: unknown = {}): Promise<StepContext['upload']> {
  const type = (await sniffType(bytes.subarray(0, SNIFF_BYTES))) ?? 'image/jpeg';
  return { id: 'id', publicId: 'public', type, sizeBytes: bytes.length, options };
}

/** Makes the tools of the steps for one test. */
export function pictureTools(limits: Partial<PictureLimits> = {}): PictureTools {
  return {
    limits: { ...PICTURE_LIMITS, ...limits },
    clock: PASSED_TIME,
    abandoned: new AbandonedCalls(),
    heic: createHeicReader(HEIC_THREAD),
  };
}

/** Calls `use` with a window over a file of these bytes, and with its path, as `withFile` does. */
export async function withWindow<Value>(
  bytes: Buffer,
  use: (window: FileWindow, path: string) => Promise<Value>,
): Promise<Value> {
  const { signal } = new AbortController();
  return await withFile(bytes, async (path) => {
    return await FileWindow.over(path, signal, async (window) => await use(window, path));
  });
}

/** Calls `use` with the path of a file of these bytes, and removes it afterwards. */
export async function withFile<Value>(bytes: Buffer, use: (path: string) => Promise<Value>): Promise<Value> {
  const path = join(tmpdir(), `picture-${randomUUID()}`);
  try {
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}
