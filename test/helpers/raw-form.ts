/** The boundary of forms written by hand. */
export const BOUNDARY = 'b';

/** Returns one part with these headers, without the last line break. */
export function formPart(headers: string, bytes: Buffer | string, boundary = BOUNDARY): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`, 'latin1'),
    bytesOf(bytes),
    Buffer.from('\r\n'),
  ]);
}

/** Returns the part of a file as browsers write it. */
export function filePart(name: string, bytes: Buffer | string): Buffer {
  return formPart(`Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/jpeg`, bytes);
}

/** Returns the part of a plain field. */
export function fieldPart(name: string, value: string): Buffer {
  return formPart(`Content-Disposition: form-data; name="${name}"`, value);
}

/** The end of a form. */
export const FORM_END = `--${BOUNDARY}--\r\n`;

/** Returns a whole POST: the head with its length, and the body. */
export function formRequest(
  pieces: readonly (Buffer | string)[],
  headers = `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n`,
): Buffer {
  const body = Buffer.concat(pieces.map(bytesOf));
  return Buffer.concat([
    Buffer.from(
      `POST /uploads HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: ${body.length}\r\n\r\n`,
      'latin1',
    ),
    body,
  ]);
}

function bytesOf(piece: Buffer | string): Buffer {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}
