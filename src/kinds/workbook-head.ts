const LOCAL_HEADER = Buffer.from('PK\x03\x04');
const NAME_LENGTH_OFFSET = 26;
const NAME_OFFSET = 30;

/** A workbook with XML parts, a workbook with binary parts, or another zip archive (undefined). */
type WorkbookHead = 'xml' | 'binary' | undefined;

/**
 * Recognises a workbook by the names of its first parts. Excel writes the part that names the type first. Other
 * programs write it last, but their workbooks have the folder `xl/`.
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

/** Names of binary parts. Macros and printer settings of XML workbooks are binary too, so they do not count. */
const BINARY_PART = /^xl\/(?:workbook|(?:worksheets\/)?sheet\d{1,9}|styles|sharedStrings)\.bin$/;
