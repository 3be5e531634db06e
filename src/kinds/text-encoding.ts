import { isUtf8 } from 'node:buffer';

/** Names of the Encoding Standard. Latin-1 is read as windows-1252, as in browsers. */
type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** The encoding of a text. */
export interface EncodedText {
  encoding: TextEncoding;
  /** Length of the byte order mark; 0 if there is none. */
  bomBytes: number;
}

const MARKS: readonly (readonly [bytes: Buffer, encoding: TextEncoding])[] = [
  [Buffer.from([0xef, 0xbb, 0xbf]), 'utf-8'],
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
];

/** Control characters that text does not contain. Tab, line ends and form feed are allowed. */
// oxlint-disable-next-line no-control-regex
const NOT_TEXT = /[\0-\x08\x0e-\x1f\x7f\ufffe\uffff]/;

/** Maximum number of bytes of an incomplete character at the end. */
const MAX_CUT_BYTES = 3;

/** Determines the encoding of a text from the beginning of the file. Undefined if the file is not text. */
export function sniffEncoding(head: Buffer): EncodedText | undefined {
  const found = markOf(head) ?? { encoding: withoutMark(head), bomBytes: 0 };
  return NOT_TEXT.test(decodeHead(head, found)) ? undefined : found;
}

/** The character with which DOS ends a text. */
const DOS_END = '\x1a';

/** Decodes a head. Leaves out the byte order mark, an incomplete character at the end, and the end character of DOS. */
export function decodeHead(head: Buffer, { encoding, bomBytes }: EncodedText): string {
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(head.subarray(bomBytes), { stream: true });
  return text.endsWith(DOS_END) ? text.slice(0, -1) : text;
}

function markOf(head: Buffer): EncodedText | undefined {
  const mark = MARKS.find(([bytes]) => head.subarray(0, bytes.length).equals(bytes));
  return mark === undefined ? undefined : { encoding: mark[1], bomBytes: mark[0].length };
}

function withoutMark(head: Buffer): TextEncoding {
  return utf16Of(head) ?? (isUtf8Head(head) ? 'utf-8' : 'windows-1252');
}

/** Finds UTF-16, in which most characters of a table have one zero byte, always on the same side. */
function utf16Of(head: Buffer): TextEncoding | undefined {
  const pairs = Math.floor(head.length / 2);
  const zeros = [0, 0];
  for (let index = 0; index < 2 * pairs; index += 1)
    if (head[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (even === 0 && odd > pairs / 3) return 'utf-16le';
  return odd === 0 && even > pairs / 3 ? 'utf-16be' : undefined;
}

/** True for text in UTF-8, also if its last character is incomplete. */
function isUtf8Head(head: Buffer): boolean {
  for (let cut = 0; cut <= Math.min(MAX_CUT_BYTES, head.length); cut += 1) {
    if (isUtf8(head.subarray(0, head.length - cut))) return true;
  }
  return false;
}
