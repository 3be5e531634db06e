import { randomBytes } from 'node:crypto';
import type { Transfer } from '../questions.ts';
import type { SentFile } from './file-sender.ts';

const BOUNDARY = '----WebKitFormBoundary7MA4YWxkTrZu0gW5';
const FORM_START = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="holiday.jpg"',
  'Content-Type: image/jpeg',
  '',
  '',
].join('\r\n');
const FORM_END = `\r\n--${BOUNDARY}--\r\n`;

/** Length of the random bytes that a body repeats. With shorter ones the sender would need more time. */
const FILLER_BYTES = 1024 * 1024;
const filler = randomBytes(FILLER_BYTES);

/** Returns the request of a transfer. `{id}` in its path becomes a new id for each file. */
export function requestFor({ form, path, bytes }: Transfer, picture: Buffer): SentFile {
  const start = form === 'form' ? FORM_START : '';
  const end = form === 'form' ? FORM_END : '';
  const length = start.length + bytes + end.length;
  const lines = [`Host: 127.0.0.1`, 'Connection: keep-alive', `Content-Length: ${length}`, ...headersOf(form, bytes)];
  return {
    head: (id) =>
      `${form === 'put' ? 'PUT' : 'POST'} ${path.replace('{id}', id)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`,
    body: [Buffer.from(start), ...fileOf(bytes, picture), Buffer.from(end)],
  };
}

function headersOf(form: Transfer['form'], bytes: number): string[] {
  if (form === 'form') return [`Content-Type: multipart/form-data; boundary=${BOUNDARY}`];
  if (form === 'put') return ['Content-Type: image/jpeg', 'Content-Disposition: attachment; filename="holiday.jpg"'];
  return ['Tus-Resumable: 1.0.0', `Upload-Length: ${bytes}`, 'Content-Type: application/offset+octet-stream'];
}

/** Returns a picture followed by random bytes, which share the same memory. */
export function fileOf(bytes: number, picture: Buffer): Buffer[] {
  const pieces = [picture.subarray(0, bytes)];
  for (let left = bytes - picture.length; left > 0; left -= FILLER_BYTES) pieces.push(filler.subarray(0, left));
  return pieces;
}
