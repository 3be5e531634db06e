import type { Buffer } from 'node:buffer';
import type { ColourNumbers } from '../cicp.ts';
import type { FileWindow } from './file-window.ts';

/** How the pixels of an AVIF are coded (ITU-T H.273; AV1 ISO media binding 1.2, section 2.3.3). */
export interface AvifColours extends ColourNumbers {
  /** True if black is stored as 16 and white as 235 (with 8 bits per channel). */
  readonly isLimited: boolean;
  readonly isMonochrome: boolean;
}

const HEADER_BYTES = 8;
const FULL_HEADER_BYTES = 4;
/** A description of a picture has about 300 bytes. Larger ones are ignored. */
const MAX_META_BYTES = 1_000_000;
const MAX_BOXES = 1000;

/** Reads the colours of the main picture of an AVIF. Undefined if the file does not describe them. */
export async function readAvifColours(window: FileWindow): Promise<AvifColours | undefined> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_BOXES; boxes++) {
    const header = await window.read(at, HEADER_BYTES);
    if (header === undefined) return undefined;
    const bytes = header.readUInt32BE(0);
    if (bytes < HEADER_BYTES) return undefined;
    if (header.toString('latin1', 4, 8) === 'meta') {
      const meta = bytes > MAX_META_BYTES ? undefined : await window.readAll(at + HEADER_BYTES, bytes - HEADER_BYTES);
      return meta === undefined ? undefined : coloursIn(meta.subarray(FULL_HEADER_BYTES));
    }
    at += bytes;
  }
  return undefined;
}

interface Box {
  readonly type: string;
  readonly data: Buffer;
}

/** Returns the boxes that lie one after the other in `bytes` (ISO/IEC 14496-12, section 4.2). */
function boxesIn(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length && boxes.length < MAX_BOXES;) {
    const size = bytes.readUInt32BE(at);
    if (size < HEADER_BYTES) break;
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + HEADER_BYTES, at + size) });
    at += size;
  }
  return boxes;
}

function dataOf(boxes: readonly Box[], type: string): Buffer | undefined {
  return boxes.find((box) => box.type === type)?.data;
}

function coloursIn(meta: Buffer): AvifColours | undefined {
  const boxes = boxesIn(meta);
  const [item, iprp] = [dataOf(boxes, 'pitm'), dataOf(boxes, 'iprp')];
  if (item === undefined || item.length < 6 || iprp === undefined) return undefined;
  const parts = boxesIn(iprp);
  const properties = boxesIn(dataOf(parts, 'ipco') ?? meta.subarray(0, 0));
  const mainItem = item[0] === 0 ? item.readUInt16BE(4) : item.length >= 8 ? item.readUInt32BE(4) : 0;
  const indexes = parts.filter(({ type }) => type === 'ipma').flatMap(({ data }) => indexesOf(data, mainItem));
  const own = indexes.flatMap((index) => properties[index - 1] ?? []);
  const colour = own.find(({ type, data }) => type === 'colr' && data.toString('latin1', 0, 4) === 'nclx')?.data;
  // The tiles of a picture have the configuration, not the picture itself.
  const config = dataOf(own, 'av1C') ?? dataOf(properties, 'av1C');
  if (config === undefined || config.length < 3) return undefined;
  const flags = config[2] ?? 0;
  const isKnown = colour !== undefined && colour.length >= 11;
  return {
    primaries: isKnown ? colour.readUInt16BE(4) : undefined,
    transfer: isKnown ? colour.readUInt16BE(6) : undefined,
    isLimited: isKnown && ((colour[10] ?? 0) & 0x80) === 0,
    isMonochrome: (flags & 0x10) !== 0,
    bits: (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12,
  };
}

/** Returns the numbers of the properties of an item (ISO/IEC 23008-12, section 9.3.1). */
function indexesOf(ipma: Buffer, item: number): number[] {
  if (ipma.length < 8) return [];
  const [idBytes, isWide] = [ipma[0] === 0 ? 2 : 4, ((ipma[3] ?? 0) & 1) !== 0];
  const entries = Math.min(ipma.readUInt32BE(4), MAX_BOXES);
  let at = 8;
  for (let entry = 0; entry < entries && at + idBytes < ipma.length; entry++) {
    const id = ipma.readUIntBE(at, idBytes);
    const count = ipma[at + idBytes] ?? 0;
    at += idBytes + 1;
    const bytes = isWide ? 2 : 1;
    if (id === item && at + count * bytes <= ipma.length) {
      // The highest bit says that a reader must understand the property.
      const mask = isWide ? 0x7fff : 0x7f;
      return Array.from({ length: count }, (_, index) => ipma.readUIntBE(at + index * bytes, bytes) & mask);
    }
    at += count * bytes;
  }
  return [];
}
