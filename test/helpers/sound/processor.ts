import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { AnyResult, Processor, StepContext } from '../../../workers/processor.ts';
import { setOnce, type SetOnce } from '../../../workers/set-once.ts';
import { UnprocessableError } from '../../../workers/unprocessable-error.ts';
import { soundOptionsSchema } from './kind.ts';
import { HEADER_BYTES, SLOW_RATE } from './wav.ts';

const CHUNK_BYTES = 4096;
const PAUSE_MS = 20;

/** The result of a sound. */
export interface SoundResult extends AnyResult {
  readonly kind: 'sound';
  readonly seconds: number;
  readonly peaks: { size: number; url: string };
}

interface SoundState {
  readonly rate: SetOnce<number>;
  readonly sizeBytes: SetOnce<number>;
  readonly peaks: SetOnce<SoundResult['peaks']>;
}

/** Measures the length of a sound and writes its peaks, for files with one byte per sample. */
export function createSoundProcessor(): Processor<SoundState, SoundResult> {
  return {
    kind: 'sound',
    steps: [
      { name: 'header', weight: 1, run: readHeader },
      { name: 'listen', weight: 9, run: listen },
    ],
    begin: () => ({ rate: setOnce('rate'), sizeBytes: setOnce('sizeBytes'), peaks: setOnce('peaks') }),
    result: (state) => ({ kind: 'sound', seconds: state.sizeBytes.get() / state.rate.get(), peaks: state.peaks.get() }),
  };
}

async function readHeader(state: SoundState, { inputPath }: StepContext): Promise<void> {
  const file = await open(inputPath);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES)
      throw new UnprocessableError('file_damaged', 'The sound ends within its header. Send the whole of it.');
    state.rate.set(buffer.readUInt32LE(24));
    state.sizeBytes.set(buffer.readUInt32LE(40));
  } finally {
    await file.close();
  }
}

async function listen(state: SoundState, context: StepContext): Promise<void> {
  const { peaks: count } = soundOptionsSchema.parse(context.upload.options);
  const peaks = Array<number>(count).fill(0);
  const file = await context.publishFile(
    { name: 'peaks.json', format: 'json', type: 'application/json; charset=utf-8' },
    measure(peaks, state, context),
  );
  state.peaks.set(file);
}

async function* measure(peaks: number[], state: SoundState, context: StepContext): AsyncGenerator<Buffer> {
  const { inputPath, signal } = context;
  const sizeBytes = state.sizeBytes.get();
  let at = 0;
  for await (const chunk of createReadStream(inputPath, {
    start: HEADER_BYTES,
    highWaterMark: CHUNK_BYTES,
  }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    for (const sample of chunk) {
      const index = Math.floor((at++ * peaks.length) / sizeBytes);
      peaks[index] = Math.max(peaks[index] ?? 0, sample);
    }
    context.reportFraction(at / sizeBytes);
    yield Buffer.from(' ');
    if (state.rate.get() === SLOW_RATE) await delay(PAUSE_MS, undefined, { signal });
  }
  yield Buffer.from(JSON.stringify(peaks));
}
