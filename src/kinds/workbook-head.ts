const LOCAL_HEADER = Buffer.from('PK\x03\x04');
const NAME_LENGTH_OFFSET = 26;
const NAME_OFFSET = 30;

/**
 * True for the beginning of a zip archive with a workbook's parts. Excel puts the part that names the type
 * first, where any sniffer finds it; other programs put it last, and are known by their folder.
 */
export function looksLikeWorkbook(head: Buffer): boolean {
  if (!head.subarray(0, LOCAL_HEADER.length).equals(LOCAL_HEADER)) return false;
  for (let at = 0; at >= 0; at = head.indexOf(LOCAL_HEADER, at + 1)) {
    if (at + NAME_OFFSET > head.length) return false;
    const length = head.readUInt16LE(at + NAME_LENGTH_OFFSET);
    if (head.toString('latin1', at + NAME_OFFSET, at + NAME_OFFSET + length).startsWith('xl/')) return true;
  }
  return false;
}
