import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import type { Progress, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, putFile, postFiles, requestJson } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { photo } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';
import { pictureResult } from '../helpers/results.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';

describe('the life of an upload', () => {
  let service: Service;
  let bytes: Buffer;

  beforeAll(async () => {
    [service, bytes] = await Promise.all([
      sharedService(),
      photo({ width: 900, height: 600, exif: { make: 'Acme', model: 'One' } }),
    ]);
  });

  afterAll(async () => {
    await expectNothingLeft(service);
  });

  describe('from its first byte to its result', () => {
    test('begins with a POST with a timeout, which answers 200 with the finished upload and its variants', async () => {
      const { status, body } = await postFiles<UploadList>(
        service.url,
        [{ name: 'ü你.jpg', bytes }],
        `?timeout=${LONG_HOLD_MS}`,
      );
      expect(status).toBe(200);
      const upload = body.uploads[0];
      expect(upload).toMatchObject({
        state: 'completed',
        file: {
          name: 'ü你.jpg',
          type: 'image/jpeg',
          size: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        },
        progress: { percent: 100, final: true, stage: 'done', attempt: 1, timedOut: false },
        result: { kind: 'picture', format: 'jpeg', width: 900, height: 600, camera: 'Acme One' },
        error: null,
      });
      expect(pictureResult(upload).variants.map(({ name, width }) => [name, width])).toEqual([
        ['1600', 900],
        ['640', 640],
        ['160', 160],
      ]);
      expect(upload?.expiresAt).not.toBeNull();
    });

    test('begins with a POST without a timeout, which answers 202 with Location; the result follows', async () => {
      const { status, body, headers } = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes }]);
      expect(status).toBe(202);
      const id = body.uploads[0]?.id ?? '';
      expect(headers.get('location')).toBe(`/uploads/${id}`);
      const result = await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
      expect([result.status, result.body.state]).toEqual([200, 'completed']);
    });

    test('keeps the order of several files, with a rejected one among them as failed', async () => {
      const files = [
        { name: '1.jpg', bytes },
        { name: 'notes.jpg', bytes: Buffer.from('only text') },
        { name: '3.jpg', bytes },
      ];
      const { status, body } = await postFiles<UploadList>(service.url, files, `?timeout=${LONG_HOLD_MS}`);
      expect(status).toBe(200);
      expect(body.uploads.map(({ file, state }) => [file.name, state])).toEqual([
        ['1.jpg', 'completed'],
        ['notes.jpg', 'failed'],
        ['3.jpg', 'completed'],
      ]);
      expect(body.uploads[1]?.error).toMatchObject({
        code: 'unsupported_media_type',
        status: 415,
        state: 'failed',
        final: true,
      });
    });

    test('allows a PUT to be repeated with the same bytes, and rejects other bytes', async () => {
      const id = randomUUID();
      const first = await putFile<Upload>(service.url, id, bytes, 'name.jpg', `?timeout=${LONG_HOLD_MS}`);
      expect([first.status, first.body.state, first.body.file.name]).toEqual([200, 'completed', 'name.jpg']);
      const again = await putFile<Upload>(service.url, id, bytes, 'name.jpg', `?timeout=${LONG_HOLD_MS}`);
      expect([again.status, again.body.version]).toEqual([200, first.body.version]);
      const other = await putFile<{ code: string }>(
        service.url,
        id,
        Buffer.concat([bytes, Buffer.from('x')]),
        'name.jpg',
      );
      expect([other.status, other.body.code]).toEqual([409, 'upload_conflict']);
    });

    test('obeys If-Match: * and If-None-Match: * in a PUT', async () => {
      const put = async (id: string, headers: Record<string, string>) => {
        const body = new Uint8Array(bytes);
        const { status } = await requestJson(`${service.url}/uploads/${id}`, { method: 'PUT', headers, body });
        return [status, (await getJson(`${service.url}/uploads/${id}`)).status];
      };
      const id = randomUUID();
      expect(await put(id, { 'If-Match': '*' })).toEqual([412, 404]);
      expect(await put(id, { 'If-None-Match': '*' })).toEqual([202, 200]);
      expect(await put(id, { 'If-None-Match': '*' })).toEqual([412, 200]);
      expect(await put(id, { 'If-Match': '*' })).toEqual([202, 200]);
      await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' });
      expect(await put(id, { 'If-Match': '*' })).toEqual([412, 410]);
      expect(await put(id, { 'If-None-Match': '*' })).toEqual([410, 410]);
    });

    test('is reported by held polls with every step, and growing versions and percents', async () => {
      const { body } = await postFiles<UploadList>(service.url, [{ name: 'a.jpg', bytes }]);
      const id = body.uploads[0]?.id ?? '';
      const seen: Progress[] = [];
      for (
        let version = body.uploads[0]?.version ?? 0;
        seen.at(-1)?.final !== true;
        version = seen.at(-1)?.version ?? 0
      ) {
        const poll = await getJson<Progress>(
          `${service.url}/uploads/${id}/progress?since=${version}&timeout=${LONG_HOLD_MS}`,
        );
        expect([poll.status, poll.headers.get('etag'), poll.headers.get('cache-control')]).toEqual([
          200,
          `W/"${poll.body.version}"`,
          'no-store',
        ]);
        seen.push(poll.body);
      }
      expect(seen.at(-1)).toMatchObject({ state: 'completed', percent: 100 });
      for (const [index, next] of seen.entries()) {
        const previous = seen[index - 1];
        expect(next.timedOut).toBe(false);
        expect(next.version).toBeGreaterThan(previous?.version ?? 0);
        expect(next.percent).toBeGreaterThanOrEqual(previous?.percent ?? 0);
      }
    });

    test('includes the original as an attachment, also in ranges', async () => {
      const { body } = await postFiles<UploadList>(
        service.url,
        [{ name: 'my "photo".jpg', bytes }],
        `?timeout=${LONG_HOLD_MS}`,
      );
      const url = `${service.url}${body.uploads[0]?.links.content ?? ''}`;
      const whole = await fetch(url);
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      expect(whole.headers.get('content-disposition')).toContain('attachment');
      const part = await fetch(url, { headers: { Range: 'bytes=10-19' } });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${bytes.length}`]);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    });

    test('ends with a DELETE, which leaves only a 410', async () => {
      const id = randomUUID();
      await putFile(service.url, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
      expect((await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
      for (const path of ['', '/progress', '/result', '/content', '/events']) {
        const answer = await getJson<{ code: string }>(`${service.url}/uploads/${id}${path}`);
        expect([path, answer.status, answer.body.code]).toEqual([path, 410, 'upload_gone']);
      }
      expect((await putFile<{ code: string }>(service.url, id, bytes, 'a.jpg')).status).toBe(410);
      expect(await filesOfUpload(service.directory, id)).toEqual([]);
    });
  });
});
