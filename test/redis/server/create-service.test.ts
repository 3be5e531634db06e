import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { UploadService } from '../../../src/server/create-service.ts';
import type { EmbeddingOptions } from '../../../src/settings/options.ts';
import type { Upload } from '../../../src/wire/documents.ts';
import { compiled } from '../../helpers/compiled.ts';
import { eventually } from '../../helpers/eventually.ts';
import { listen } from '../../helpers/listen.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import { heldInMetrics } from '../../helpers/held-in-metrics.ts';

/* The compiled module, because only the build has the page. */
const { createService } = (await import(compiled('src/server/create-service.ts'))) as {
  createService: (options: EmbeddingOptions) => Promise<UploadService>;
};

const CSV = 'name,age\nAda,36\n';
let directory: string;
let media: UploadService;
let files: UploadService;
let server: Server;
let origin: string;

/**
 * Returns the service for a request. The first service takes the whole URL, and a framework has shortened that of the
 * second.
 */
function route(request: IncomingMessage): UploadService {
  if (request.url?.startsWith('/media') === true) return media;
  Object.assign(request, { originalUrl: request.url, url: request.url?.replace('/my/files', '') });
  return files;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-embedded-'));
  const open = async (name: string, mountPath: string) =>
    await createService({
      redis: await sharedRedis(),
      storage: `file:${join(directory, name)}`,
      queuePrefix: `embedded-${name}-${randomUUID()}`,
      mountPath,
      access: 'open',
      logLevel: 'silent',
      queueCapacity: 5,
      shutdownGraceMs: 0,
    });
  [media, files] = await Promise.all([open('media', 'media/'), open('files', '/my/files')]);
  server = createServer((request, response) => {
    const isParsed = request.headers['x-parsed'] !== undefined;
    void (isParsed ? buffer(request) : Promise.resolve()).then(() => route(request).handle(request, response));
  });
  origin = `http://127.0.0.1:${await listen(server)}`;
});

afterAll(async () => {
  await Promise.all([media.close(), files.close()]);
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

async function send(base: string, headers: Record<string, string> = {}) {
  const id = randomUUID();
  const response = await fetch(`${origin}${base}/uploads/${id}`, { method: 'PUT', body: CSV, headers });
  return { id, response };
}

/** Returns all strings in a document that look like a path of the service. */
function pathsIn(document: unknown): string[] {
  return JSON.stringify(document).match(/"\/[^"]*\/(uploads|variants)\/[^"]*"|"\/(uploads|variants)\/[^"]*"/g) ?? [];
}

describe('two services in one server', () => {
  test.each(['/media', '/my/files'])('give links that begin with their mount path (%s)', async (base) => {
    const { id, response } = await send(base);
    expect([response.status, response.headers.get('location')]).toEqual([202, `${base}/uploads/${id}`]);
    const upload = (await response.json()) as Upload;
    const reader = (await fetch(`${origin}${base}/uploads/${id}/events?timeout=0`)).body?.getReader();
    const stream = await reader?.read();
    await reader?.cancel();
    const event = /^data: (.*)$/m.exec(Buffer.from(stream?.value ?? []).toString())?.[1] ?? '';
    const list = await (await fetch(`${origin}${base}/progress?upload=${id}`)).json();
    for (const document of [upload, JSON.parse(event), list]) {
      expect(pathsIn(document).length).toBeGreaterThan(4);
      expect(pathsIn(document).filter((path) => !path.startsWith(`"${base}/`))).toEqual([]);
    }
    expect((await fetch(`${origin}${upload.links.self}`)).status).toBe(200);
    expect(await (await fetch(`${origin}${upload.links.content ?? ''}`)).text()).toBe(CSV);
  });

  test('do not know the uploads of each other', async () => {
    const { id } = await send('/media');
    expect((await fetch(`${origin}/my/files/uploads/${id}`)).status).toBe(404);
  });

  test('create resumable uploads below their mount path', async () => {
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '3', 'Upload-Metadata': 'filename YS5jc3Y=' };
    const created = await fetch(`${origin}/media/files`, { method: 'POST', headers });
    expect(created.headers.get('location')).toMatch(/^\/media\/files\/[0-9a-f-]{36}$/);
    const found = await fetch(`${origin}${created.headers.get('location') ?? ''}`, { method: 'HEAD', headers });
    expect(found.status).toBe(200);
  });

  test('serve the page with its files below the mount path', async () => {
    const page = await fetch(`${origin}/media`);
    expect(page.url).toBe(`${origin}/media/`);
    const files = [...(await page.text()).matchAll(/(?:src|<link rel="stylesheet" href)="([^"]+)"/g)];
    expect(files.length).toBe(2);
    for (const [, path] of files) expect((await fetch(new URL(path ?? '', page.url))).status).toBe(200);
    const { servers } = (await (await fetch(`${origin}/media/openapi.json`)).json()) as { servers: unknown };
    expect(servers).toEqual([{ url: '/media', description: expect.any(String) as unknown }]);
  });

  test('answer 500 with the reason if a body parser has read the body', async () => {
    const { response } = await send('/media', { 'X-Parsed': 'yes' });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: 'body_consumed',
      detail: expect.stringContaining('before the body parser') as unknown,
    });
  });

  test('have metrics of their own', async () => {
    await media.ready();
    expect(await media.metrics()).toContain('deferred_uploads_queue_capacity 5');
    expect(await media.metrics()).not.toContain('process_cpu');
  });
});

describe('options', () => {
  test.each([
    [{ queueCapacity: -1 }, /queueCapacity must be a whole number/],
    [{ mountPath: '/a/../b' }, /mountPath must be a path such as/],
    [{ mountPath: '/(a+)+' }, /mountPath must be a path such as/],
    [{ host: '0.0.0.0' }, /host is not a loopback address, so choose .* access=open/],
    [{ queueCapcity: 1 }, /unknown options: queueCapcity/],
    [{ redis: 'redis://127.0.0.1:1/x y' }, /redisUrl must be redis/],
  ])('%j are refused with one line that names the option', async (options, message) => {
    await expect(createService({ logLevel: 'silent', ...options } as EmbeddingOptions)).rejects.toThrow(message);
  });
});

test('closing answers the held responses, and later requests with 503', async () => {
  await eventually('no response to be held', async () => heldInMetrics(await files.metrics()) === 0);
  const { id, response } = await send('/my/files');
  const { version } = (await response.json()) as Upload;
  const poll = fetch(`${origin}/my/files/uploads/${id}/progress?since=${version}&timeout=40000`);
  // The poll is held once the metrics count it.
  await eventually('the poll to be held', async () => heldInMetrics(await files.metrics()) === 1);
  await files.close();
  expect(await (await poll).json()).toMatchObject({ id, timedOut: true });
  const late = await fetch(`${origin}/my/files/uploads/${id}`);
  expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([503, 'shutting_down']);
});
