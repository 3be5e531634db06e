import type { Buffer } from 'node:buffer';
import { createInflate } from 'node:zlib';
import { tooLarge } from './too-large.ts';
import type { FileWindow } from './file-window.ts';
import { walkPng, type PngChunk } from './walk-png.ts';

const MAX_KEYWORD_BYTES = 79;

const MAX_TEXTS = 64;
const MAX_PACKED_BYTES = 1_000_000;
/** Maximum unpacked size of all texts. libvips keeps several copies of each. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** The highest compression ratio that deflate can reach. */
const MAX_RATIO = 1032;

const ADVICE = 'Save the picture without its metadata and upload the new file.';

/**
 * Checks the chunks of a PNG (PNG third edition, section 5.3) without unpacking pixels, because libvips unpacks all
 * text chunks when it opens a file. Throws `picture_too_large` for more than 64 texts, for more than 1 MB of packed
 * texts and profile, or for texts that unpack to more than 16 MiB.
 */
export async function checkPng(window: FileWindow, signal: AbortSignal): Promise<void> {
  const texts: PngChunk[] = [];
  let count = 0;
  let packedBytes = 0;
  for await (const chunk of walkPng(window)) {
    const { type } = chunk;
    if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') count += 1;
    if (type === 'zTXt' || type === 'iCCP' || (type === 'iTXt' && (await isPacked(window, chunk)))) {
      packedBytes += chunk.bytes;
      if (type !== 'iCCP') texts.push(chunk);
    }
    if (count > MAX_TEXTS) throw tooLarge(`more than ${MAX_TEXTS} texts`, ADVICE);
    if (packedBytes > MAX_PACKED_BYTES) throw tooLarge('more than 1 MB of packed texts and colour profile', ADVICE);
  }
  if (MAX_RATIO * texts.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_UNPACKED_BYTES)
    await checkUnpacked(window, texts, signal);
}

/** Returns whether an iTXt is packed. The byte after its keyword says so (section 11.3.3.4). */
async function isPacked(window: FileWindow, { at, bytes }: PngChunk): Promise<boolean> {
  const start = await window.read(at, Math.min(bytes, MAX_KEYWORD_BYTES + 2));
  const end = start?.indexOf(0) ?? -1;
  return end < 0 || start?.[end + 1] !== 0;
}

async function checkUnpacked(window: FileWindow, texts: readonly PngChunk[], signal: AbortSignal): Promise<void> {
  let unpackedBytes = 0;
  for (const text of texts) {
    for await (const piece of unpacked(window, text, signal)) {
      unpackedBytes += piece.length;
      if (unpackedBytes > MAX_UNPACKED_BYTES) throw tooLarge('texts that unpack to more than 16 MiB', ADVICE);
    }
  }
}

/** Ends early without an error for data that cannot be unpacked. libvips then decides how to handle the picture. */
async function* unpacked(
  window: FileWindow,
  { type, at, bytes }: PngChunk,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const data = await window.readAll(at, bytes);
  if (data === undefined) return;
  const inflate = createInflate({ maxOutputLength: MAX_UNPACKED_BYTES });
  inflate.end(data.subarray(startOfPacked(type, data)));
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      yield piece;
    }
  } catch {
    signal.throwIfAborted();
  } finally {
    inflate.destroy();
  }
}

/**
 * Returns the start of the packed data. It follows the keyword, and in an iTXt also two flags, a language and a
 * translated keyword (section 11.3.3).
 */
export function startOfPacked(type: string, data: Buffer): number {
  const afterKeyword = afterZero(data, 0);
  return type === 'zTXt' ? afterKeyword + 1 : afterZero(data, afterZero(data, afterKeyword + 2));
}

function afterZero(data: Buffer, from: number): number {
  const zero = data.indexOf(0, from);
  return zero < 0 ? data.length : zero + 1;
}
