import '../../helpers/one-realm.ts';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { mountedAnswers, mountedDocument, withoutMountPath } from '../../../src/http/mount-path.ts';
import { listen } from '../../helpers/listen.ts';
import { freshProgress, freshUpload } from '../client/documents.ts';
import { serve, type Served } from './serve.ts';

const ID = '11111111-1111-4111-8111-111111111111';

describe('a request to a mounted service', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });

  /** Returns the URL that the service sees. `prepare` does what a framework does before. */
  async function seen(path: string, prepare: (url: string) => object = () => ({}), method = 'GET') {
    const handle = withoutMountPath('/media', (request, response) => response.end(request.url));
    server = createServer((request, response) => handle(Object.assign(request, prepare(request.url ?? '')), response));
    const port = await listen(server);
    return await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' });
  }

  test.each([
    ['/media/uploads', '/uploads'],
    ['/media/', '/'],
    ['/media/progress?upload=a~1', '/progress?upload=a~1'],
    ['/uploads', '/uploads'],
    ['/mediator/uploads', '/mediator/uploads'],
  ])('%s arrives as %s', async (path, inner) => {
    expect(await (await seen(path)).text()).toBe(inner);
  });

  test('is understood if Express has removed the path already', async () => {
    const express = (url: string) => ({ originalUrl: url, url: url.replace('/media', '') });
    expect(await (await seen('/media/media/uploads', express)).text()).toBe('/media/uploads');
  });

  test('keeps the origin of a target in absolute form', async () => {
    const absolute = (url: string) => ({ url: `http://app.example${url}` });
    expect(await (await seen('/media/uploads', absolute)).text()).toBe('http://app.example/uploads');
  });

  test('is redirected from the path itself, because the page has relative links', async () => {
    const response = await seen('/media?lang=en');
    expect([response.status, response.headers.get('location')]).toEqual([308, '/media/?lang=en']);
  });
});

describe('an answer of a mounted service', () => {
  let served: Served | undefined;

  afterEach(async () => await served?.close());

  test('has the path before Location and links', async () => {
    served = await serve(mountedAnswers('/media'), (ctx) => {
      ctx.set('Location', `/uploads/${ID}`);
      ctx.status = 202;
      ctx.body = { uploads: [{ id: ID, links: { self: `/uploads/${ID}` } }] };
    });
    const response = await fetch(served.url);
    expect([response.status, response.headers.get('location')]).toEqual([202, `/media/uploads/${ID}`]);
    expect(await response.json()).toEqual({ uploads: [{ id: ID, links: { self: `/media/uploads/${ID}` } }] });
  });
});

describe('a document of a mounted service', () => {
  test('has the path before each of its links and before the addresses of its files', () => {
    const upload = freshUpload(ID);
    const files = upload.links.variants;
    const result = {
      kind: 'table',
      jsonLines: { size: 1, url: `${files}/rows.jsonl` },
      variants: [{ url: `${files}/a` }],
    };
    const mounted = JSON.stringify(mountedDocument('/media', { ...upload, result }));
    expect(mounted.match(/"\/(uploads|variants)\//g)).toBeNull();
    expect(mounted.match(/"\/media\/(uploads|variants)\//g)).toHaveLength(
      Object.keys(upload.links).length + Object.keys(upload.progress.links).length + 2,
    );
  });

  test('keeps everything else as it is', () => {
    const progress = freshProgress(ID);
    const { links } = progress;
    const document = {
      ...progress,
      metadata: { links: { a: '/a' } },
      result: { url: '/variants/of-others', cells: ['/a'] },
    };
    expect(mountedDocument('/media', document)).toEqual({
      ...document,
      links: Object.fromEntries(Object.entries(links).map(([name, path]) => [name, `/media${path}`])),
    });
    expect(mountedDocument('/media', { status: 'ok' })).toEqual({ status: 'ok' });
    expect(mountedDocument('', document)).toBe(document);
  });
});
