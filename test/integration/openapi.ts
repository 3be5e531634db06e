import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Problem, Progress, ProgressList, Upload, UploadList } from '../../src/wire/documents.ts';
import { openApiDocument } from '../../src/wire/openapi/document.ts';
import {
  problemSchema,
  progressListSchema,
  progressSchema,
  serviceStatusSchema,
  uploadListSchema,
  uploadSchema,
} from '../../src/wire/upload-schemas.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { cutShort, photo } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('the OpenAPI document', () => {
  const WAIT = `?timeout=${LONG_HOLD_MS}`;

  let service: Service;
  let bytes: Buffer;
  let photoExif: Buffer;

  beforeAll(async () => {
    [service, bytes, photoExif] = await Promise.all([
      sharedService(),
      photo({ width: 320, height: 240 }),
      photo({
        width: 320,
        height: 240,
        orientation: 6,
        exif: { make: 'Acme', model: 'One', date: '2024:05:01 12:30:00' },
      }),
    ]);
  });

  afterAll(async () => {
    await expectNothingLeft(service);
  });

  /** Throws if the body differs from its documentation. The error names every such place. */
  function expectShape(schema: z.ZodType, body: unknown): void {
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw new Error(`${z.prettifyError(parsed.error)}\n${JSON.stringify(body, null, 2)}`);
  }

  async function sendDamaged(): Promise<Upload> {
    const id = randomUUID();
    const { status, body } = await putFile<Upload>(service.url, id, cutShort(bytes), 'cut.jpg', WAIT);
    expect([status, body.state]).toEqual([200, 'failed']);
    return body;
  }

  describe('describes the answers of', () => {
    test('the document itself, which equals the code', async () => {
      const { status, headers, body } = await getJson(`${service.url}/openapi.json`);
      expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(body).toEqual(openApiDocument());
    });

    test.each([['/healthz'], ['/readyz']])('GET %s', async (path) => {
      const { status, body } = await getJson(service.url + path);
      expect(status).toBe(200);
      expectShape(serviceStatusSchema, body);
    });

    test('POST /uploads, queued and finished', async () => {
      const now = await postFiles<UploadList>(service.url, [
        { name: 'a.jpg', bytes },
        { name: 'b.jpg', bytes },
      ]);
      expect(now.status).toBe(202);
      expectShape(uploadListSchema, now.body);
      const final = await postFiles<UploadList>(
        service.url,
        [
          { name: 'a.jpg', bytes: photoExif },
          { name: 'b.jpg', bytes: Buffer.from('text') },
        ],
        WAIT,
      );
      expect([final.status, final.body.uploads.map(({ state }) => state)]).toEqual([200, ['completed', 'failed']]);
      expectShape(uploadListSchema, final.body);
    });

    test('PUT and GET /uploads/{id}', async () => {
      const id = randomUUID();
      const now = await putFile<Upload>(service.url, id, bytes, 'a.jpg');
      expect(now.status).toBe(202);
      expectShape(uploadSchema, now.body);
      const final = await putFile<Upload>(service.url, id, bytes, 'a.jpg', WAIT);
      expect([final.status, final.body.state]).toEqual([200, 'completed']);
      expectShape(uploadSchema, final.body);
      const read = await getJson<Upload>(`${service.url}/uploads/${id}`);
      expect(read.status).toBe(200);
      expectShape(uploadSchema, read.body);
    });

    test('GET /uploads/{id}/progress, all until the end', async () => {
      const sent = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes: photoExif }]);
      const self = `${service.url}${sent.body.uploads[0]?.links.progress ?? ''}`;
      let progress: Progress | undefined;
      do {
        const since = progress === undefined ? '' : `&since=${progress.version}`;
        ({ body: progress } = await getJson<Progress>(`${self}?timeout=${LONG_HOLD_MS}${since}`));
        expectShape(progressSchema, progress);
      } while (!progress.final);
      const seen = await getJson(`${self}${WAIT}`, { 'If-None-Match': `W/"${progress.version}"` });
      expect([seen.status, seen.body]).toEqual([304, null]);
    });

    test('GET /progress, with an upload, an unknown one and none', async () => {
      const sent = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes }]);
      const watched = [sent.body.uploads[0]?.id ?? '', randomUUID(), 'nonsense'].map((id) => `upload=${id}`).join('&');
      const { status, body } = await getJson<ProgressList>(`${service.url}/progress?${watched}`);
      expect([status, body.uploads.length]).toEqual([200, 3]);
      expectShape(progressListSchema, body);
    });

    test('GET /uploads/{id}/result of a completed and of a damaged picture', async () => {
      const sent = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes }]);
      const completed = await getJson<Upload>(`${service.url}${sent.body.uploads[0]?.links.result ?? ''}${WAIT}`);
      expect(completed.status).toBe(200);
      expectShape(uploadSchema, completed.body);
      const damaged = await sendDamaged();
      expectShape(uploadSchema, damaged);
      const failed = await getJson<Problem>(`${service.url}${damaged.links.result}`);
      expect([failed.status, failed.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
      expectShape(problemSchema, failed.body);
      expect(failed.body).toMatchObject({ code: 'picture_damaged', id: damaged.id, state: 'failed', final: true });
    });

    test('a cancel of a final upload, and DELETE', async () => {
      const damaged = await sendDamaged();
      const cancelled = await requestJson<Upload>(`${service.url}${damaged.links.cancel}`, { method: 'POST' });
      expect([cancelled.status, cancelled.body.state]).toEqual([200, 'failed']);
      expectShape(uploadSchema, cancelled.body);
      const deleted = await requestJson(`${service.url}${damaged.links.self}`, { method: 'DELETE' });
      expect([deleted.status, deleted.body]).toEqual([204, null]);
    });
  });

  describe('describes every rejection as a problem', () => {
    const unknown = randomUUID();

    test.each([
      ['bad_upload_id', 'GET', '/uploads/nonsense'],
      ['unknown_upload', 'GET', `/uploads/${unknown}`],
      ['unknown_upload', 'GET', `/uploads/${unknown}/progress`],
      ['unknown_upload', 'GET', `/uploads/${unknown}/result`],
      ['unknown_upload', 'GET', `/uploads/${unknown}/events`],
      ['unknown_upload', 'GET', `/uploads/${unknown}/content`],
      ['unknown_upload', 'POST', `/uploads/${unknown}/cancel`],
      ['unknown_upload', 'DELETE', `/uploads/${unknown}`],
      ['unknown_variant', 'GET', `/variants/nobody/640`],
      ['bad_timeout', 'GET', `/uploads/${unknown}/result?timeout=-1`],
      ['bad_since', 'GET', `/uploads/${unknown}/progress?since=x`],
      ['bad_request', 'GET', '/progress'],
      ['unknown_upload', 'GET', `/archive?upload=${unknown}`],
      ['not_multipart', 'POST', '/uploads'],
      ['not_found', 'GET', '/nowhere'],
      ['method_not_allowed', 'DELETE', '/uploads'],
    ])('with %s for %s %s', async (code, method, path) => {
      const { status, headers, body } = await requestJson<Problem>(service.url + path, { method });
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expectShape(problemSchema, body);
      expect([body.code, body.status]).toEqual([code, status]);
    });
  });
});
