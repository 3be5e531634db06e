import type { Buffer } from 'node:buffer';
import { createInflate } from 'node:zlib';
import { tooLarge } from './too-large.ts';
import type { FileWindow } from './file-window.ts';

const SIGNATURE_BYTES = 8;
const HEADER_BYTES = 8;
const CHECKSUM_BYTES = 4;
const MAX_KEYWORD_BYTES = 79;

const MAX_TEXTS = 64;
const MAX_PACKED_BYTES = 1_000_000;
/** The library keeps each text several times over. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** Deflate packs to a 1032nd at best. */
const MAX_RATIO = 1032;

const ADVICE = 'Save the picture again without its metadata, and send that.';

interface Packed {
  readonly type: string;
  readonly at: number;
  readonly bytes: number;
}

/**
 * Goes through the chunks of a PNG (PNG third edition, section 5.3) without unpacking pixels. The library unpacks all
 * text chunks when it opens a file, whatever they become. Throws `picture_too_large` for more than 64 of them, for more
 * than 1 MB of packed text and profile, and for text that unpacks to more than 16 MiB.
 */
export async function checkPng(window: FileWindow, signal: AbortSignal): Promise<void> {
  const texts: Packed[] = [];
  let count = 0;
  let packedBytes = 0;
  for (let at = SIGNATURE_BYTES; ;) {
    const header = await window.read(at, HEADER_BYTES);
    if (header === undefined) break;
    const length = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, HEADER_BYTES);
    if (type === 'IEND') break;
    const data = at + HEADER_BYTES;
    if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') count += 1;
    if (type === 'zTXt' || type === 'iCCP' || (type === 'iTXt' && (await isPacked(window, data, length)))) {
      packedBytes += length;
      if (type !== 'iCCP') texts.push({ type, at: data, bytes: length });
    }
    if (count > MAX_TEXTS) throw tooLarge(`more than ${MAX_TEXTS} texts`, ADVICE);
    if (packedBytes > MAX_PACKED_BYTES) throw tooLarge('more than 1 MB of packed texts and colour profile', ADVICE);
    at = data + length + CHECKSUM_BYTES;
  }
  if (MAX_RATIO * texts.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_UNPACKED_BYTES)
    await checkUnpacked(window, texts, signal);
}

/** An iTXt says so in the byte behind its keyword (section 11.3.3.4). */
async function isPacked(window: FileWindow, at: number, length: number): Promise<boolean> {
  const start = await window.read(at, Math.min(length, MAX_KEYWORD_BYTES + 2));
  const end = start?.indexOf(0) ?? -1;
  return end < 0 || start?.[end + 1] !== 0;
}

async function checkUnpacked(window: FileWindow, texts: readonly Packed[], signal: AbortSignal): Promise<void> {
  let unpackedBytes = 0;
  for (const text of texts) {
    for await (const piece of unpacked(window, text, signal)) {
      unpackedBytes += piece.length;
      if (unpackedBytes > MAX_UNPACKED_BYTES) throw tooLarge('texts that unpack to more than 16 MiB', ADVICE);
    }
  }
}

/** Ends early, and without an error, for what cannot be unpacked: the library says what it thinks of that. */
async function* unpacked(window: FileWindow, { type, at, bytes }: Packed, signal: AbortSignal): AsyncGenerator<Buffer> {
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

/** Behind the keyword and, in an iTXt, behind two flags, a language and a translated keyword (section 11.3.3). */
function startOfPacked(type: string, data: Buffer): number {
  const afterKeyword = afterZero(data, 0);
  return type === 'zTXt' ? afterKeyword + 1 : afterZero(data, afterZero(data, afterKeyword + 2));
}

function afterZero(data: Buffer, from: number): number {
  const zero = data.indexOf(0, from);
  return zero < 0 ? data.length : zero + 1;
}
