const LOCAL_HEADER = Buffer.from('PK\x03\x04');
const NAME_LENGTH_OFFSET = 26;
const NAME_OFFSET = 30;

/** What the parts of a zip archive make it: a workbook of XML, one of binary parts, or something else. */
export type WorkbookHead = 'xml' | 'binary' | undefined;

/**
 * By the names of the first parts. Excel puts the part that names the type first, where any sniffer finds it; other
 * programs put it last, and are known by their folder.
 */
export function workbookOf(head: Buffer): WorkbookHead {
  if (!head.subarray(0, LOCAL_HEADER.length).equals(LOCAL_HEADER)) return undefined;
  let found: WorkbookHead;
  for (let at = 0; at >= 0; at = head.indexOf(LOCAL_HEADER, at + 1)) {
    if (at + NAME_OFFSET > head.length) return found;
    const length = head.readUInt16LE(at + NAME_LENGTH_OFFSET);
    const name = head.toString('latin1', at + NAME_OFFSET, at + NAME_OFFSET + length);
    if (BINARY_PART.test(name)) return 'binary';
    if (name.startsWith('xl/')) found = 'xml';
  }
  return found;
}

/** Macros and printer settings of other workbooks are binary too. */
const BINARY_PART = /^xl\/(?:workbook|(?:worksheets\/)?sheet\d{1,9}|styles|sharedStrings)\.bin$/;
