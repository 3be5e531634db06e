import { fileTypeFromBuffer } from 'file-type';

/** As many bytes from the start of a file as its type is told from. */
export const SNIFF_BYTES = 4100;

/** Media type of the bytes themselves, undefined where no known signature fits. Never looks at a name or a header. */
export async function sniffType(head: Buffer): Promise<string | undefined> {
  const found = await fileTypeFromBuffer(head);
  return found?.mime;
}
