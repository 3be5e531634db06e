import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { photo, textAsJpeg } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus, metadataHeader, offsetOf, patchTus, sendByTusClient, tusRequest } from '../helpers/tus-requests.ts';
import { filesOf, locksIn, partsOf, resultOf, sha256 } from '../helpers/tus-service.ts';
import { pictureResult } from '../helpers/results.ts';

const MAX_BYTES = 5_000_000;
const OFFSET_STREAM = { 'Content-Type': 'application/offset+octet-stream' };

let service: Service;
let url: string;
let otherUrl: string;
let bytes: Buffer;

beforeAll(async () => {
  const env = { UPLOAD_MAX_BYTES: String(MAX_BYTES), SHUTDOWN_GRACE_MS: '1000', RESUMABLE_UPLOADS: 'on' };
  [service, bytes] = await Promise.all([startService({ apis: 2, env }), photo({ width: 900, height: 600 })]);
  [url = '', otherUrl = ''] = service.urls;
});

afterAll(async () => {
  await expectNothingLeft(service);
  await service.stop();
});

describe('tus-js-client', () => {
  test('sends a whole file, which becomes an ordinary upload', async () => {
    const id = await sendByTusClient(url, bytes, { metadata: { filename: 'ü你.jpg', filetype: 'image/jpeg' } });
    const upload = await resultOf(otherUrl, id);
    expect(upload).toMatchObject({
      state: 'completed',
      file: { name: 'ü你.jpg', type: 'image/jpeg', size: bytes.length, sha256: sha256(bytes) },
      progress: { percent: 100, attempt: 1 },
      result: { width: 900, height: 600 },
    });
    expect(pictureResult(upload).variants.map(({ name }) => name)).toEqual(['1600', '640', '160']);
    expect([await partsOf(service, id), await locksIn(service)]).toEqual([[], []]);
  });

  test('sends chunks, and any process reports the progress', async () => {
    const seen: Progress[] = [];
    const chunkSize = Math.ceil(bytes.length / 8);
    let link: string | null = null;
    const id = await sendByTusClient(url, bytes, {
      chunkSize,
      onUploadUrlAvailable() {
        link = 'there';
      },
      onChunkComplete: (_size, accepted) => void seen.push({ bytes: { received: accepted } } as Progress),
      async onBeforeRequest(request) {
        const known = /\/files\/([0-9a-f-]{36})/.exec(request.getURL())?.[1];
        if (known !== undefined) seen.push((await getJson<Progress>(`${otherUrl}/uploads/${known}/progress`)).body);
      },
    });
    const polled = seen.filter(({ state }) => state === 'receiving');
    expect([link, polled.length]).toEqual(['there', 8]);
    expect(polled.map(({ bytes: { received } }) => received)).toEqual(
      Array.from({ length: 8 }, (_, index) => index * chunkSize),
    );
    expect(polled.map(({ percent }) => Math.floor(percent))).toEqual([0, 3, 7, 11, 15, 18, 22, 26]);
    expect((await resultOf(otherUrl, id)).file.sha256).toBe(sha256(bytes));
  });

  test('sends a file whose size it learns at the end', async () => {
    const id = await sendByTusClient(url, Readable.from(bytes), { uploadLengthDeferred: true, chunkSize: 50_000 });
    expect(await resultOf(otherUrl, id)).toMatchObject({
      state: 'completed',
      file: { size: bytes.length, sha256: sha256(bytes) },
    });
  });

  test('sends the file with the request that creates the upload', async () => {
    const id = await sendByTusClient(url, bytes, { uploadDataDuringCreation: true });
    expect((await resultOf(otherUrl, id)).state).toBe('completed');
  });

  test('sends the file if only POST is allowed', async () => {
    const id = await sendByTusClient(url, bytes, { overridePatchMethod: true });
    expect((await resultOf(otherUrl, id)).state).toBe('completed');
  });
});

describe('the tus protocol', () => {
  test('names its versions and extensions in OPTIONS', async () => {
    const { status, headers } = await tusRequest('OPTIONS', `${url}/files`);
    expect([status, headers.get('tus-version'), headers.get('tus-max-size')]).toEqual([
      204,
      '1.0.0',
      String(MAX_BYTES),
    ]);
    expect(headers.get('tus-extension')?.split(',').sort()).toEqual([
      'checksum',
      'concatenation',
      'creation',
      'creation-defer-length',
      'creation-with-upload',
      'expiration',
      'termination',
    ]);
  });

  test('creates an upload that expires in ten minutes, and HEAD returns what was announced', async () => {
    const metadata = metadataHeader({ filename: 'a.jpg', options: '{}' });
    const created = await tusRequest('POST', `${url}/files`, { 'Upload-Length': '100', ...metadata });
    expect([created.status, created.headers.get('tus-resumable')]).toEqual([201, '1.0.0']);
    const inMs = Date.parse(created.headers.get('upload-expires') ?? '') - Date.now();
    expect(inMs / 3_600_000).toBeCloseTo(1 / 6, 1);
    const head = await tusRequest('HEAD', `${otherUrl}${created.headers.get('location') ?? ''}`);
    const values = ['upload-offset', 'upload-length', 'upload-metadata', 'cache-control'].map((name) =>
      head.headers.get(name),
    );
    expect([head.status, ...values]).toEqual([200, '0', '100', metadata['Upload-Metadata'], 'no-store']);
  });

  test('creates an upload under an id of the client only once', async () => {
    const id = randomUUID();
    const headers = { 'Upload-Length': '100', ...metadataHeader({ uploadId: id }) };
    const first = await tusRequest('POST', `${url}/files`, headers);
    const second = await tusRequest('POST', `${otherUrl}/files`, headers);
    expect([first.status, first.headers.get('location')]).toEqual([201, `/files/${id}`]);
    expect([second.status, second.body?.code]).toEqual([409, 'upload_conflict']);
  });

  test('returns the offset of a finished upload in HEAD', async () => {
    const id = await sendByTusClient(url, bytes);
    expect(await offsetOf(otherUrl, id)).toBe(bytes.length);
    await resultOf(url, id);
    expect(await offsetOf(url, id)).toBe(bytes.length);
  });

  test.each([
    ['another version', 'POST', { 'Tus-Resumable': '0.2.2', 'Upload-Length': '9' }, 412, 'unsupported_tus_version'],
    ['neither length nor deferral', 'POST', {}, 400, 'bad_request'],
    ['an invalid length', 'POST', { 'Upload-Length': '1e3' }, 400, 'bad_request'],
    ['invalid metadata', 'POST', { 'Upload-Length': '9', 'Upload-Metadata': 'a b c' }, 400, 'bad_request'],
    [
      'options that are not JSON',
      'POST',
      { 'Upload-Length': '9', ...metadataHeader({ options: '{' }) },
      400,
      'bad_options',
    ],
    ['an invalid id', 'POST', { 'Upload-Length': '9', ...metadataHeader({ uploadId: 'me' }) }, 400, 'bad_upload_id'],
    ['an empty file', 'POST', { 'Upload-Length': '0' }, 400, 'empty_file'],
    ['too many bytes', 'POST', { 'Upload-Length': String(MAX_BYTES + 1) }, 413, 'file_too_large'],
    ['an empty concatenation', 'POST', { 'Upload-Concat': 'final;' }, 400, 'bad_request'],
    ['an unknown method', 'GET', {}, 405, 'method_not_allowed'],
  ])('answers %s with a problem', async (_what, method, headers, status, code) => {
    const answer = await tusRequest(method, `${url}/files`, headers);
    expect([answer.status, answer.body?.code, answer.headers.get('content-type')]).toEqual([
      status,
      code,
      'application/problem+json',
    ]);
    expect(answer.headers.get('tus-version')).toBe(status === 412 ? '1.0.0' : null);
  });

  test('needs an offset, a type and an upload in PATCH', async () => {
    const id = await createTus(url, { 'Upload-Length': '100' });
    const ten = Buffer.alloc(10);
    const attempts = [
      patchTus(url, id, 7, ten),
      tusRequest('PATCH', `${url}/files/${id}`, { 'Content-Type': 'application/json', 'Upload-Offset': '0' }, ten),
      tusRequest('PATCH', `${url}/files/${id}`, OFFSET_STREAM, ten),
      patchTus(url, id, 0, Buffer.alloc(101)),
      patchTus(url, '0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10', 0, ten),
      patchTus(url, 'x', 0, ten),
    ];
    const answers = await Promise.all(attempts);
    expect(answers.map(({ status, body }) => [status, body?.code])).toEqual([
      [409, 'offset_conflict'],
      [415, 'not_offset_stream'],
      [400, 'bad_request'],
      [413, 'file_too_large'],
      [404, 'unknown_upload'],
      [400, 'bad_upload_id'],
    ]);
    expect(await offsetOf(url, id)).toBe(0);
  });

  test('does not serve an upload that came in one request', async () => {
    const id = crypto.randomUUID();
    await putFile(url, id, bytes, 'a.jpg');
    expect(await offsetOf(url, id)).toBe('status 404');
    expect((await tusRequest('DELETE', `${url}/files/${id}`)).status).toBe(404);
    expect((await resultOf(url, id)).state).toBe('completed');
  });
});

describe('the intake of a resumable upload', () => {
  test('rejects a wrong type once enough bytes have arrived, also over several requests', async () => {
    const text = Buffer.concat([textAsJpeg(), Buffer.alloc(20_000, 'words ')]);
    const id = await createTus(url, { 'Upload-Length': String(text.length) });
    expect((await patchTus(url, id, 0, text.subarray(0, 3000))).status).toBe(204);
    const { status, body } = await patchTus(otherUrl, id, 3000, text.subarray(3000, 8000));
    expect([status, body?.code, body?.state]).toEqual([415, 'unsupported_media_type', 'failed']);
    const upload = await getJson<Upload>(`${url}/uploads/${id}`);
    expect(upload.body).toMatchObject({ state: 'failed', error: { code: 'unsupported_media_type', final: true } });
    expect([await offsetOf(url, id), await filesOf(service, id)]).toEqual(['status 410', []]);
  });

  test('rejects a whole file that is too short to determine its type', async () => {
    const id = await createTus(url, { 'Upload-Length': '10' });
    const { status, body } = await patchTus(url, id, 0, Buffer.from('just words'));
    expect([status, body?.code, await filesOf(service, id)]).toEqual([415, 'unsupported_media_type', []]);
  });

  test('rejects a file before the client has sent all of it', async () => {
    const text = Buffer.alloc(MAX_BYTES, 'words ');
    const error = await sendByTusClient(url, text).catch((reason: unknown) => reason);
    expect(String(error)).toContain('unsupported_media_type');
  });

  test('rejects more bytes than the limit if the length was not announced', async () => {
    const id = await createTus(url, { 'Upload-Defer-Length': '1' });
    const { status, body } = await patchTus(url, id, 0, Buffer.concat([bytes, Buffer.alloc(MAX_BYTES)]));
    expect([status, body?.code, body?.state]).toEqual([413, 'file_too_large', 'failed']);
    const other = await createTus(url, { 'Upload-Defer-Length': '1' });
    const announced = await patchTus(url, other, 0, bytes, { 'Upload-Length': String(MAX_BYTES + 1) });
    expect([announced.status, announced.body?.code, announced.body?.state]).toEqual([413, 'file_too_large', 'failed']);
    expect([await filesOf(service, id), await filesOf(service, other)]).toEqual([[], []]);
  });

  test('rejects options that the kind does not know', async () => {
    const id = await createTus(url, {
      'Upload-Length': String(bytes.length),
      ...metadataHeader({ options: '{"colour":"red"}' }),
    });
    expect((await patchTus(url, id, 0, bytes)).body?.code).toBe('bad_options');
  });
});

describe('an early end of a resumable upload', () => {
  test('by DELETE ends it for all clients and leaves nothing', async () => {
    const id = await createTus(url, { 'Upload-Length': String(bytes.length) });
    await patchTus(url, id, 0, bytes.subarray(0, 9000));
    const watched = getJson<Progress>(`${otherUrl}/uploads/${id}/progress?since=99&timeout=${LONG_HOLD_MS}`);
    const held = getJson<Progress>(`${otherUrl}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
    expect((await tusRequest('DELETE', `${otherUrl}/files/${id}`)).status).toBe(204);
    expect([(await watched).status, (await held).status]).toEqual([200, 410]);
    expect([await offsetOf(url, id), (await patchTus(url, id, 9000, bytes.subarray(9000))).status]).toEqual([
      'status 410',
      410,
    ]);
    expect((await getJson<{ code: string }>(`${url}/uploads/${id}`)).body.code).toBe('upload_gone');
    expect(await filesOf(service, id)).toEqual([]);
  });

  test('by a cancel rejects further bytes', async () => {
    const id = await createTus(url, { 'Upload-Length': String(bytes.length) });
    await patchTus(url, id, 0, bytes.subarray(0, 9000));
    const cancelled = await requestJson<Upload>(`${otherUrl}/uploads/${id}/cancel`, { method: 'POST' });
    expect([cancelled.status, cancelled.body.state]).toEqual([202, 'cancelled']);
    const { status, body } = await patchTus(url, id, 9000, bytes.subarray(9000));
    expect([status, body?.code, await offsetOf(url, id)]).toEqual([410, 'upload_cancelled', 'status 410']);
    await eventually('no files', async () => (await filesOf(service, id)).length === 0);
  });
});

describe('concatenation', () => {
  const CUT = 20_000;

  /** Makes a partial upload, and sends all of its bytes except the last `missing` ones. */
  async function partial(part: Buffer, missing = 0): Promise<string> {
    const id = await createTus(url, { 'Upload-Concat': 'partial', 'Upload-Length': String(part.length) });
    await patchTus(otherUrl, id, 0, part.subarray(0, part.length - missing));
    return id;
  }
  const join = async (addresses: string, headers: Record<string, string> = {}) =>
    await tusRequest('POST', `${url}/files`, { 'Upload-Concat': `final;${addresses}`, ...headers });

  test('makes one upload of parts that tus-js-client sends in parallel', async () => {
    const made = new Set<string>();
    const id = await sendByTusClient(url, bytes, {
      parallelUploads: 3,
      onAfterResponse: (_, response) => void made.add(response.getHeader('Location')?.split('/').at(-1) ?? ''),
    });
    expect(await resultOf(otherUrl, id)).toMatchObject({
      state: 'completed',
      file: { name: 'photo.jpg', type: 'image/jpeg', size: bytes.length, sha256: sha256(bytes) },
    });
    const partials = [...made].filter((one) => one !== '' && one !== id);
    expect(partials).toHaveLength(3);
    for (const one of partials)
      expect([await offsetOf(url, one), await filesOf(service, one)]).toEqual(['status 404', []]);
    expect([await partsOf(service, id), await locksIn(service)]).toEqual([[], []]);
  });

  test('takes relative and absolute addresses, and shows the role of each upload', async () => {
    const [one, two] = [await partial(bytes.subarray(0, CUT)), await partial(bytes.subarray(CUT))];
    const head = await tusRequest('HEAD', `${otherUrl}/files/${one}`);
    expect([head.headers.get('upload-concat'), head.headers.get('upload-offset')]).toEqual(['partial', String(CUT)]);
    const { status, headers } = await join(`/files/${one} ${otherUrl}/files/${two}`);
    const id = headers.get('location')?.split('/').at(-1) ?? '';
    expect([status, (await resultOf(url, id)).file.sha256]).toEqual([201, sha256(bytes)]);
    const final = await tusRequest('HEAD', `${url}/files/${id}`);
    expect(['upload-concat', 'upload-offset', 'upload-length'].map((name) => final.headers.get(name))).toEqual([
      `final;/files/${one} /files/${two}`,
      String(bytes.length),
      String(bytes.length),
    ]);
    expect((await patchTus(url, id, bytes.length, Buffer.from('x'))).status).toBe(403);
  });

  test('rejects wrong lists, and keeps the partial uploads', async () => {
    const [whole, unfinished] = [await partial(bytes.subarray(0, CUT)), await partial(bytes.subarray(CUT), 1)];
    const ordinary = await createTus(url, { 'Upload-Length': '10' });
    const deleted = await partial(bytes.subarray(0, CUT));
    await tusRequest('DELETE', `${url}/files/${deleted}`);
    const at = (id: string) => `/files/${id}`;
    for (const [list, status, code] of [
      [`${at(whole)} ${at(unfinished)}`, 400, 'bad_request'],
      [`${at(whole)} ${at(whole)}`, 400, 'bad_request'],
      [`${at(whole)} ${at(ordinary)}`, 400, 'bad_request'],
      [`${at(whole)} ${at(deleted)}`, 410, 'upload_gone'],
      [`${at(whole)} ${at(randomUUID())}`, 404, 'unknown_upload'],
      [`${at(whole)} /elsewhere/${unfinished}`, 400, 'bad_request'],
      ['', 400, 'bad_request'],
      [Array.from({ length: 65 }, () => at(randomUUID())).join(' '), 400, 'bad_request'],
    ] as const) {
      const answer = await join(list);
      expect([list, answer.status, answer.body?.code]).toEqual([list, status, code]);
    }
    expect((await join(at(whole), { 'Upload-Length': String(CUT) })).status).toBe(400);
    const odd = { 'Upload-Concat': 'both', 'Upload-Length': '5' };
    expect((await tusRequest('POST', `${url}/files`, odd)).body?.code).toBe('bad_request');
    expect([await offsetOf(url, whole), await offsetOf(url, unfinished)]).toEqual([CUT, bytes.length - CUT - 1]);
    for (const id of [whole, unfinished, ordinary]) await tusRequest('DELETE', `${url}/files/${id}`);
  });

  test('rejects parts of a type that no processor takes, and keeps nothing of the final upload', async () => {
    const id = randomUUID();
    const text = await partial(Buffer.from('just words'));
    const { status, body } = await join(`/files/${text}`, metadataHeader({ uploadId: id }));
    expect([status, body?.code, await filesOf(service, id)]).toEqual([415, 'unsupported_media_type', []]);
    await tusRequest('DELETE', `${url}/files/${text}`);
  });
});

describe('resumable uploads of the IETF', () => {
  const CUT = 20_000;
  const DRAFT = { 'Upload-Draft-Interop-Version': '8' };
  const APPEND = { 'Content-Type': 'application/partial-upload' };

  interface Answer {
    status: number;
    fields: Record<string, string | undefined>;
    /** The interim responses. */
    interim: { status: number; location: string | undefined; version: string | undefined }[];
    body: Partial<Upload> & { code?: string };
  }

  /** Sends one request with node:http, which shows interim responses. */
  async function ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer,
  ): Promise<Answer> {
    const sending = request(`${url}${path}`, { method, headers, agent: false });
    const interim: Answer['interim'] = [];
    sending.on('information', ({ statusCode, headers: fields }) =>
      interim.push({
        status: statusCode,
        location: fields['location'],
        version: fields['upload-draft-interop-version']?.toString(),
      }),
    );
    sending.end(body);
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    const text = (await buffer(response)).toString();
    const names = ['location', 'upload-offset', 'upload-complete', 'upload-length', 'upload-limit', 'accept-patch'];
    const fields = Object.fromEntries(names.map((name) => [name, response.headers[name]?.toString()]));
    return {
      status: response.statusCode ?? 0,
      fields,
      interim,
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    };
  }
  const idOf = ({ fields }: Answer) => fields['location']?.split('/').at(-1) ?? '';
  const stateOf = async (id: string) => {
    const { status, fields } = await ask('HEAD', `/resumable/${id}`);
    return [status, fields['upload-offset'], fields['upload-complete'], fields['upload-length']];
  };

  test('take a whole file in one request, and send its address in a 104 first', async () => {
    const name = 'inline; filename="file name.jpg"';
    const headers = {
      ...DRAFT,
      'Upload-Complete': '?1',
      'Upload-Length': String(bytes.length),
      'Content-Disposition': name,
    };
    const sent = await ask('POST', '/resumable', { ...headers, 'Content-Length': String(bytes.length) }, bytes);
    const id = idOf(sent);
    expect(sent.interim).toEqual([{ status: 104, location: `/resumable/${id}`, version: '8' }]);
    expect([sent.status, sent.fields['upload-complete'], sent.body.id]).toEqual([202, '?1', id]);
    expect(await resultOf(otherUrl, id)).toMatchObject({
      state: 'completed',
      file: { name: 'file name.jpg', sha256: sha256(bytes) },
    });
    expect(await stateOf(id)).toEqual([204, String(bytes.length), '?1', String(bytes.length)]);
  });

  test('take a file of unknown size in several requests, the last one without bytes', async () => {
    const created = await ask('POST', '/resumable', { 'Upload-Complete': '?0' }, bytes.subarray(0, CUT));
    const id = idOf(created);
    expect([created.status, created.interim, created.fields['upload-offset']]).toEqual([201, [], String(CUT)]);
    expect(created.fields['upload-limit']).toMatch(/^max-size=5000000, max-age=\d+$/);
    expect(await stateOf(id)).toEqual([204, String(CUT), '?0', undefined]);
    const rest = { ...APPEND, 'Upload-Offset': String(CUT), 'Upload-Complete': '?0' };
    const appended = await ask('PATCH', `/resumable/${id}`, rest, bytes.subarray(CUT));
    expect([appended.status, appended.fields['upload-complete']]).toEqual([204, '?0']);
    const end = { ...APPEND, 'Upload-Offset': String(bytes.length), 'Upload-Complete': '?1' };
    const completed = await ask('PATCH', `/resumable/${id}`, end);
    expect([completed.status, completed.fields['upload-complete']]).toEqual([202, '?1']);
    expect((await resultOf(url, id)).file.sha256).toBe(sha256(bytes));
    expect((await ask('PATCH', `/resumable/${id}`, end)).status).toBe(400);
  });

  test('continue after a broken connection, with the bytes that had arrived', async () => {
    const sending = request(`${url}/resumable`, {
      method: 'POST',
      headers: { ...DRAFT, 'Upload-Complete': '?1', 'Content-Length': String(bytes.length) },
      agent: false,
    });
    sending.on('error', () => undefined);
    sending.write(bytes.subarray(0, CUT));
    const [{ headers }] = (await once(sending, 'information')) as [{ headers: Record<string, string> }];
    const id = headers['location']?.split('/').at(-1) ?? '';
    await eventually('the bytes', async () => {
      const { body } = await getJson<Progress>(`${otherUrl}/uploads/${id}/progress`);
      return body.bytes.received === CUT;
    });
    sending.destroy();
    expect(await stateOf(id)).toEqual([204, String(CUT), '?0', String(bytes.length)]);
    const rest = { ...APPEND, 'Upload-Offset': String(CUT), 'Upload-Complete': '?1' };
    expect((await ask('PATCH', `/resumable/${id}`, rest, bytes.subarray(CUT))).status).toBe(202);
    expect((await resultOf(url, id)).file.sha256).toBe(sha256(bytes));
  });

  test('reject a wrong offset (and return the right one), another length or type, and a deleted upload', async () => {
    const length = { 'Upload-Length': String(bytes.length) };
    const id = idOf(await ask('POST', '/resumable', { 'Upload-Complete': '?0', ...length }));
    const at = (offset: number, more: Record<string, string> = {}) => ({
      ...APPEND,
      'Upload-Offset': String(offset),
      'Upload-Complete': '?0',
      ...more,
    });
    const wrong = await ask('PATCH', `/resumable/${id}`, at(5), bytes.subarray(5, 10));
    expect([wrong.status, wrong.body.code, wrong.fields['upload-offset']]).toEqual([409, 'offset_conflict', '0']);
    for (const [headers, status] of [
      [at(0, { 'Upload-Length': '7' }), 400],
      [at(0, { 'Upload-Complete': '?1' }), 400],
      [at(0, { 'Upload-Complete': 'yes' }), 400],
      [{ ...APPEND, 'Upload-Complete': '?0' }, 400],
      [at(0, { 'Content-Type': 'application/octet-stream' }), 415],
    ] as const)
      expect([headers, (await ask('PATCH', `/resumable/${id}`, headers, bytes.subarray(0, 10))).status]).toEqual([
        headers,
        status,
      ]);
    expect((await ask('DELETE', `/resumable/${id}`)).status).toBe(204);
    expect([await stateOf(id), (await ask('PATCH', `/resumable/${id}`, at(0), bytes)).status]).toEqual([
      [410, undefined, undefined, undefined],
      410,
    ]);
    expect((await ask('POST', '/resumable', {}, bytes)).body.code).toBe('bad_request');
    const { status, fields } = await ask('OPTIONS', '/resumable');
    expect([status, fields['accept-patch']]).toEqual([204, 'application/partial-upload']);
  });

  test('end if more bytes arrive than announced', async () => {
    const headers = { 'Upload-Complete': '?0', 'Upload-Length': '10', 'Transfer-Encoding': 'chunked' };
    const id = idOf(await ask('POST', '/resumable', { 'Upload-Complete': '?0', 'Upload-Length': '10' }));
    const more = await ask('PATCH', `/resumable/${id}`, { ...APPEND, ...headers, 'Upload-Offset': '0' }, bytes);
    expect([more.status, (await stateOf(id))[0]]).toEqual([413, 410]);
  });

  test.each(['ietf-draft-03', 'ietf-draft-05'])('work with the protocol %s of tus-js-client', async (protocol) => {
    // The types of tus-js-client do not have this option.
    const draft = { protocol };
    const id = await sendByTusClient(url, bytes, { endpoint: `${url}/resumable`, ...draft, chunkSize: 50_000 });
    expect(await resultOf(otherUrl, id)).toMatchObject({ state: 'completed', file: { sha256: sha256(bytes) } });
  });
});
