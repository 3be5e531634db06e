import type { DirectUploadDocument } from '../../../../src/wire/documents.ts';
import type { Transfer } from '../questions.ts';

type SignedPart = DirectUploadDocument['parts'][number];

/** Puts a file into the bucket of the service, part by part, as `POST /uploads/direct` says. */
export async function sendDirect({ port, path, bytes }: Transfer, pieces: readonly Buffer[]): Promise<void> {
  const service = `http://127.0.0.1:${port}`;
  const file = Buffer.concat(pieces);
  const begun = await ask<DirectUploadDocument>(`${service}${path}`, 'POST', { fileName: 'holiday.jpg', size: bytes });
  const { upload, partSize } = begun;
  const count = Math.ceil(bytes / partSize);
  const etags: { number: number; etag: string }[] = [];
  let known: readonly SignedPart[] = begun.parts;
  while (etags.length < count) {
    for (const { number, url, headers } of known) {
      const body = new Uint8Array(file.subarray((number - 1) * partSize, number * partSize));
      const put = await fetch(url, { method: 'PUT', headers, body });
      if (!put.ok) throw new Error(`the bucket answered with ${put.status}`);
      etags.push({ number, etag: put.headers.get('etag') ?? '' });
    }
    if (etags.length === count) break;
    const more = `${service}/uploads/${upload.id}/direct/parts?from=${etags.length + 1}&count=10`;
    known = (await ask<{ parts: SignedPart[] }>(more, 'GET')).parts;
  }
  await ask(`${service}/uploads/${upload.id}/direct/complete`, 'POST', { parts: etags });
}

async function ask<Answer>(url: string, method: string, body?: object): Promise<Answer> {
  const json = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method, ...(body && { headers: json, body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${url} was answered with ${response.status}`);
  return (await response.json()) as Answer;
}
