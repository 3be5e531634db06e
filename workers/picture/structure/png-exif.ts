import { Buffer } from 'node:buffer';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { FileWindow } from './file-window.ts';
import { startOfPacked } from './png-chunks.ts';
import { walkPng } from './walk-png.ts';

/** An EXIF block of a JPEG has at most 64 KiB. In hexadecimal it has twice that, and line ends. */
const MAX_BLOCK_BYTES = 65_536;
const MAX_TEXT_BYTES = 150_000;

/** Keywords under which programs store an EXIF block as hexadecimal text. */
const RAW_PROFILE = /^Raw profile type (?:exif|APP1)\0/;

/**
 * Returns the EXIF block of a PNG from a chunk `eXIf` at any position, or from a text chunk as ImageMagick and
 * Photoshop wrote it before 2017. Undefined if there is none. libvips reads only an `eXIf` before the pixels.
 */
export async function readPngExif(window: FileWindow): Promise<Buffer | undefined> {
  let found: Buffer | undefined;
  for await (const { type, at, bytes } of walkPng(window)) {
    if (type === 'eXIf' && bytes <= MAX_BLOCK_BYTES) return await window.readAll(at, bytes);
    if (/^(?:tEXt|zTXt|iTXt)$/.test(type) && bytes <= MAX_TEXT_BYTES)
      found ??= await blockIn(type, await window.readAll(at, bytes));
  }
  return found;
}

const unpack = promisify(inflate);

async function blockIn(type: string, chunk: Buffer | undefined): Promise<Buffer | undefined> {
  if (chunk === undefined || !RAW_PROFILE.test(chunk.toString('latin1', 0, 30))) return undefined;
  const afterKeyword = chunk.indexOf(0) + 1;
  const isPacked = type === 'zTXt' || (type === 'iTXt' && chunk[afterKeyword] === 1);
  const start = type === 'tEXt' ? afterKeyword : startOfPacked(type, chunk);
  const text = isPacked ? await unpacked(chunk.subarray(start)) : chunk.subarray(start);
  return text === undefined ? undefined : decoded(text.toString('latin1'));
}

async function unpacked(bytes: Buffer): Promise<Buffer | undefined> {
  return await unpack(bytes, { maxOutputLength: MAX_TEXT_BYTES }).catch(() => undefined);
}

/**
 * Decodes a block from text: a line with the name of the profile, a line with its length, and lines of hexadecimal
 * digits.
 */
function decoded(text: string): Buffer | undefined {
  const [, , ...lines] = text.replace(/^\n/, '').split('\n');
  const block = Buffer.from(lines.join('').replaceAll(/\s/g, ''), 'hex');
  return /^(?:Exif\0\0|II|MM)/.test(block.toString('latin1', 0, 6)) ? block : undefined;
}
