/** The needed part of `crypto`. Browsers have no `randomUUID` on pages that were loaded over plain HTTP. */
export interface RandomSource {
  randomUUID?: () => string;
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** Returns a new UUID version 4 in lower case (RFC 9562 section 5.4). It is a secret of the uploader. */
export function uploadId(source: RandomSource = globalThis.crypto): string {
  if (source.randomUUID) return source.randomUUID();
  const bytes = source.getRandomValues(new Uint8Array(16));
  return [...bytes].map(stamped).map(hex).join('');
}

/** Sets the version and the variant in the upper bits of bytes 6 and 8. */
function stamped(byte: number, index: number): number {
  if (index === 6) return (byte & 0x0f) | 0x40;
  if (index === 8) return (byte & 0x3f) | 0x80;
  return byte;
}

function hex(byte: number, index: number): string {
  const digits = byte.toString(16).padStart(2, '0');
  return [4, 6, 8, 10].includes(index) ? `-${digits}` : digits;
}
