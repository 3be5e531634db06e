import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Problem, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson, type JsonAnswer } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { seePicture } from '../helpers/seen-picture.ts';
import { pages, photo } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus, patchTus } from '../helpers/tus-requests.ts';
import { pictureResult } from '../helpers/results.ts';
import { storedFiles } from '../helpers/stored-files.ts';

const OPTIONS = {
  variants: [{ name: 'card', width: 40, height: 40, fit: 'cover', format: 'png' }],
  keepMetadata: true,
  gps: true,
};

let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const env = { PICTURE_OPTIONS: JSON.stringify({ variants: [{ name: 'only', longestSide: 50, format: 'jpeg' }] }) };
  [service, bytes] = await Promise.all([
    startService({ env }),
    photo({ width: 90, height: 60, exif: { make: 'Acme', model: 'One', gps: true } }),
  ]);
});

afterAll(async () => {
  await service.stop();
});

async function post<Body>(options: string, query = `?timeout=${LONG_HOLD_MS}`): Promise<JsonAnswer<Body>> {
  const form = new FormData();
  form.append('options', options);
  for (const name of ['1.jpg', '2.jpg']) form.append('file', new Blob([new Uint8Array(bytes)]), name);
  return await requestJson<Body>(`${service.url}/uploads${query}`, { method: 'POST', body: form });
}

function expectCard(upload: Upload | undefined): void {
  expect(upload).toMatchObject({ state: 'completed', result: { gps: { latitude: 52.5166667, longitude: 13.4 } } });
  expect(pictureResult(upload).variants).toMatchObject([
    { name: 'card', format: 'png', width: 40, height: 40, url: `/variants/${upload?.publicId}/card` },
  ]);
}

describe('the options of an upload', () => {
  test('in a field before the files apply to all of them', async () => {
    const { body } = await post<UploadList>(JSON.stringify(OPTIONS));
    expect(body.uploads).toHaveLength(2);
    body.uploads.forEach(expectCard);
    const card = await fetch(`${service.url}/variants/${body.uploads[0]?.publicId}/card`);
    expect(card.headers.get('content-type')).toBe('image/png');
    const { metadata } = await seePicture(Buffer.from(await card.arrayBuffer()));
    expect([metadata.width, metadata.height, metadata.exif?.includes('Acme')]).toEqual([40, 40, true]);
  });

  test('may be in the query of a raw upload', async () => {
    const query = `?timeout=${LONG_HOLD_MS}&options=${encodeURIComponent(JSON.stringify(OPTIONS))}`;
    expectCard((await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg', query)).body);
  });

  test('may be in the metadata of a resumable upload', async () => {
    const metadata = `options ${Buffer.from(JSON.stringify(OPTIONS)).toString('base64')}`;
    const id = await createTus(service.url, { 'Upload-Length': String(bytes.length), 'Upload-Metadata': metadata });
    await patchTus(service.url, id, 0, bytes.subarray(0, 100));
    await patchTus(service.url, id, 100, bytes.subarray(100));
    expectCard((await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`)).body);
  });

  test('default to those of the settings', async () => {
    const { body } = await post<UploadList>('{}');
    expect(pictureResult(body.uploads[0]).variants).toMatchObject([{ name: 'only', format: 'jpeg', width: 50 }]);
    expect(body.uploads[0]?.result).not.toHaveProperty('gps');
  });
});

test('a TIFF of several pages with its directory at the end is processed like other pictures', async () => {
  const { status, body } = await putFile<Upload>(
    service.url,
    randomUUID(),
    await pages(3),
    'scan.tiff',
    `?timeout=${LONG_HOLD_MS}`,
  );
  expect([status, body.file.type, body.result?.kind]).toEqual([200, 'image/tiff', 'picture']);
  expect(body.result).toMatchObject({ format: 'tiff', frames: 3, width: 120, height: 80 });
});

describe('invalid options', () => {
  test.each([
    [
      '{"variants":[{"name":"a","longestSide":5,"width":5}]}',
      'options.variants[0] has both longestSide and a box; remove one of them.',
    ],
    [
      JSON.stringify({ variants: Array.from({ length: 200 }, (_, index) => ({ name: `v${index}`, width: 1 })) }),
      'options.variants may have at most 16 entries; remove some, or send the file twice.',
    ],
  ])('give one problem that says what to do, and leave nothing: %.60s', async (options, detail) => {
    const before = (await storedFiles(service.directory)).length;
    const { status, body } = await post<Problem>(options);
    expect([status, body.code, body.detail]).toEqual([400, 'bad_options', detail]);
    expect((await storedFiles(service.directory)).length).toBe(before);
  });
});

test('a variant may be requested by its name before it exists, and a name that will never exist is a 404', async () => {
  const id = randomUUID();
  const query = `?options=${encodeURIComponent(JSON.stringify(OPTIONS))}`;
  const put = request(`${service.url}/uploads/${id}${query}`, {
    method: 'PUT',
    headers: { 'Content-Length': bytes.length },
  });
  const answered = once(put, 'response') as Promise<[IncomingMessage]>;
  put.write(bytes.subarray(0, 100));
  const publicId = await publicIdOf(id);
  const card = fetch(`${service.url}/variants/${publicId}/card?timeout=${LONG_HOLD_MS}`);
  expect((await fetch(`${service.url}/variants/${publicId}/only?timeout=${LONG_HOLD_MS}`)).status).toBe(404);
  put.end(bytes.subarray(100));
  const [answer] = await answered;
  expect(answer.resume().statusCode).toBe(202);
  expect((await card).headers.get('content-type')).toBe('image/png');
});

async function publicIdOf(id: string): Promise<string> {
  for (;;) {
    const { status, body } = await getJson<Upload>(`${service.url}/uploads/${id}`);
    if (status === 200) return body.publicId;
  }
}
