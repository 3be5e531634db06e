import type { FileWindow } from './file-window.ts';

const SIGNATURE_BYTES = 8;
const HEADER_BYTES = 8;
const CHECKSUM_BYTES = 4;

/** One chunk of a PNG. */
export interface PngChunk {
  readonly type: string;
  /** The place of its data in the file. */
  readonly at: number;
  /** The length of its data, as the file claims it. */
  readonly bytes: number;
}

/** Yields the chunks of a PNG up to `IEND` or the end of the file (PNG third edition, section 5.3). */
export async function* walkPng(window: FileWindow): AsyncGenerator<PngChunk, void, undefined> {
  for (let start = SIGNATURE_BYTES; ;) {
    const header = await window.read(start, HEADER_BYTES);
    if (header === undefined) return;
    const chunk = {
      type: header.toString('latin1', 4, HEADER_BYTES),
      at: start + HEADER_BYTES,
      bytes: header.readUInt32BE(0),
    };
    if (chunk.type === 'IEND') return;
    yield chunk;
    start = chunk.at + chunk.bytes + CHECKSUM_BYTES;
  }
}
