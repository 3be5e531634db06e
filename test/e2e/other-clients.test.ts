import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import { type Browser, startBrowser } from '../helpers/browser.ts';
import { putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo, textAsJpeg } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import { type Service, startService } from '../helpers/service.ts';
import { resultOf, sha256 } from '../helpers/tus-service.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { recipe } from './recipes.ts';

const DOCUMENT = 'docs/other-clients.md';

let frontEnd: PageServer;
let service: Service;
/** What pages take for the service. */
let link: Link;
let browser: Browser;
let bytes: Buffer;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  frontEnd = await startPageServer();
  const env = { CORS_ORIGINS: frontEnd.origin, UPLOAD_MAX_BYTES: '2000000', UPLOAD_MAX_REQUEST_BYTES: '4000000' };
  [bytes, service, browser] = await Promise.all([
    photo({ width: 1600, height: 1200 }),
    startService({ env }),
    startBrowser(),
  ]);
  link = await Link.open(service.url);
});

afterAll(async () => {
  await browser.close();
  await link.close();
  await service.stop();
  await frontEnd.stop();
});

afterEach(() => page.close());

/** Opens a page of the front end on which the snippet's exports are members of `window.client`. */
async function openWith(snippet: string): Promise<void> {
  const code = recipe(snippet, DOCUMENT).replaceAll('https://uploads.example', link.url);
  const bundle = await build({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'client',
    logLevel: 'error',
  });
  ({ page, complaints } = await browser.open(frontEnd.origin));
  await page.evaluate(`${bundle.outputFiles[0]?.text ?? ''}; window.client = client`);
  await page.evaluate(
    `window.fileOf = (name, base64) => new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name, { type: 'image/jpeg', lastModified: 1 })`,
  );
}

/** An expression of the page's for a file with these bytes. */
function fileOf(name: string, content: Buffer): string {
  return `fileOf('${name}', '${content.toString('base64')}')`;
}

async function evaluate<T>(expression: string): Promise<T> {
  return await page.evaluate<T>(expression);
}

const DONE = () => ({ state: 'completed', file: { name: 'harbour ü.jpg', size: bytes.length, sha256: sha256(bytes) } });

describe('fetch', () => {
  test('sends a file and waits for its result', async () => {
    await openWith('fetch.js');
    const upload = await evaluate<Upload>(`client.send(${fileOf('harbour ü.jpg', bytes)})`);
    expect(upload).toMatchObject(DONE());
    expect(complaints).toEqual([]);
  });

  test('reads why a file was rejected', async () => {
    await openWith('fetch.js');
    const said = await evaluate<string>(
      `client.send(${fileOf('a.jpg', textAsJpeg())}).catch((error) => error.message)`,
    );
    expect(said).toMatch(/^unsupported_media_type: .*image\/jpeg/);
  });

  test('reads a rejection that comes before the bytes are sent', async () => {
    await openWith('fetch.js');
    const said = await evaluate<string>(
      `client.send(new File([new Uint8Array(4_010_000)], 'a.jpg')).catch((error) => error.message)`,
    );
    expect(said).toMatch(/^request_too_large: /);
  });

  test('reads which preference was applied', async () => {
    await openWith('fetch.js');
    const { body } = await putFile<Upload>(service.url, crypto.randomUUID(), bytes, 'a.jpg');
    const applied = await evaluate<string>(
      `fetch('${link.url}/uploads/${body.id}/result', { headers: { Prefer: 'wait=15' } }).then(({ headers }) => headers.get('Preference-Applied'))`,
    );
    expect(applied).toBe('wait=15');
  });
});

describe('EventSource', () => {
  test('follows an upload over a broken connection without missing an event, and ends by itself', async () => {
    await openWith('event-source.js');
    const [worker] = service.workers;
    await worker?.end();
    const { body } = await putFile<Upload>(service.url, crypto.randomUUID(), bytes, 'a.jpg');
    const seenIds: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/events'))
        void request.allHeaders().then(
          (headers) => seenIds.push(headers['last-event-id']),
          () => undefined,
        );
    });
    await evaluate(
      `window.seen = []; window.ended = client.follow('${body.id}', (progress) => seen.push(progress)); undefined`,
    );
    await awaitTrue(page, 'seen.length > 0');
    link.cut();
    link.repair();
    await service.addWorker();
    await evaluate('ended');
    const seen = await evaluate<Progress[]>('seen');
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    expect([seen[0]?.state, seen.at(-1)?.state]).toEqual(['queued', 'completed']);
    // The browser reconnects after the cut, and again after the end, where it gets a 204.
    await eventually('the third request', () => seenIds.length === 3);
    expect(seenIds).toEqual([undefined, String(versions[0]), String(versions.at(-1))]);
  });
});

describe('Uppy', () => {
  interface Sent {
    url: string;
    error: string;
    shown: string;
  }

  const SEND = (file: string) => `(async () => {
    const { uppy } = client;
    let shown = '';
    uppy.on('info-visible', () => (shown = uppy.getState().info.map(({ message }) => message).join()));
    uppy.addFile({ name: 'harbour ü.jpg', type: 'image/jpeg', data: ${file} });
    const { successful, failed } = await uppy.upload();
    return { url: successful[0]?.uploadURL ?? '', error: failed[0]?.error ?? '', shown };
  })()`;

  test('sends a form for each file', async () => {
    await openWith('uppy-xhr.js');
    const { url, error } = await evaluate<Sent>(SEND(fileOf('x', bytes)));
    expect([error, url.startsWith(`${link.url}/uploads/`)]).toEqual(['', true]);
    expect(await resultOf(service.url, url.split('/').at(-1) ?? '')).toMatchObject(DONE());
    expect(complaints).toEqual([]);
  });

  test('sends a rejected file only once and shows why it was rejected', async () => {
    await openWith('uppy-xhr.js');
    let sent = 0;
    page.on('request', (request) => (sent += Number(request.method() === 'POST')));
    const { error, shown } = await evaluate<Sent>(SEND(fileOf('x', textAsJpeg())));
    expect([error !== '', shown]).toEqual([true, expect.stringContaining('image/jpeg')]);
    expect(sent).toBe(1);
  });

  test('sends by tus', async () => {
    await openWith('uppy-tus.js');
    const { url, error } = await evaluate<Sent>(SEND(fileOf('x', bytes)));
    expect(error).toBe('');
    const id = await evaluate<string>(`client.idOf('${url}')`);
    expect(await resultOf(service.url, id)).toMatchObject(DONE());
    expect(complaints).toEqual([]);
  });
});

describe('tus-js-client', () => {
  test('continues after a reload at the same offset', async () => {
    await openWith('tus.js');
    link.cutAfter(Math.floor(bytes.length / 2), () => undefined);
    const broken = page.waitForEvent('requestfailed');
    await evaluate(`void client.send(${fileOf('harbour ü.jpg', bytes)}); undefined`);
    await broken;
    await page.close();
    link.repair();
    await openWith('tus.js');
    const offsets: number[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
    });
    const id = await evaluate<string>(`client.send(${fileOf('harbour ü.jpg', bytes)})`);
    expect(await resultOf(service.url, id)).toMatchObject(DONE());
    expect(offsets[0]).toBeGreaterThan(0);
  });
});

describe('a form without script', () => {
  async function submit(content: Buffer): Promise<{ type: string | undefined; shown: string }> {
    frontEnd.serve('/form', 'text/html', recipe('form.html', DOCUMENT).replaceAll('https://uploads.example', link.url));
    ({ page, complaints } = await browser.open(`${frontEnd.origin}/form`));
    await page.setInputFiles('input', { name: 'harbour ü.jpg', mimeType: 'image/jpeg', buffer: content });
    const navigated = page.waitForResponse((response) => response.request().isNavigationRequest());
    await page.click('button');
    const response = await navigated;
    await page.waitForLoadState();
    return { type: response.headers()['content-type'], shown: await page.evaluate(() => document.body.innerText) };
  }

  test('shows the finished uploads', async () => {
    const { shown } = await submit(bytes);
    expect(JSON.parse(shown)).toMatchObject({ uploads: [DONE()] });
    expect(page.url()).toContain('/uploads?timeout=');
  });

  test('shows why no file was accepted', async () => {
    const { type, shown } = await submit(textAsJpeg());
    expect(type).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(shown)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });
});

test('the client of this service works from another origin', async () => {
  ({ page, complaints } = await browser.open(frontEnd.origin));
  const base64 = bytes.toString('base64');
  const upload = await page.evaluate(
    async ([url, content]) => {
      const { createUploadClient } = (await import(`${url}/client.js`)) as {
        createUploadClient: (options: object) => { upload(file: File): { result: Promise<unknown> } };
      };
      const file = new File([Uint8Array.from(atob(content), (char) => char.charCodeAt(0))], 'harbour ü.jpg', {
        type: 'image/jpeg',
      });
      return await createUploadClient({ baseUrl: url }).upload(file).result;
    },
    [link.url, base64] as const,
  );
  expect(upload).toMatchObject(DONE());
  expect(complaints).toEqual([]);
});
