import { beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import type { Link } from '../../scripts/chaos/fleet/link.ts';
import type { Browser } from '../helpers/browser.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { textAsJpeg } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { resultOf, sha256 } from '../helpers/tus-service.ts';
import { awaitTrue } from './await-true.ts';
import { fileExpression, sharedFrontEnd, threeFiles } from './front-end.ts';
import type { PageServer } from './page-server.ts';
import { recipe } from './recipes.ts';
import type { ChosenFile } from './slow-processor.ts';

const DOCUMENT = 'docs/other-clients.md';

let frontEnd: PageServer;
let service: Service;
/** The address of the service for the pages, which a test may cut. */
let link: Link;
let browser: Browser;
let bytes: Buffer;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  ({ pages: frontEnd, service, link, browser, bytes } = await sharedFrontEnd());
});

const scripts = new Map<string, string>();

/** Returns the script of a snippet, whose exports are members of `client`. */
async function scriptOf(snippet: string): Promise<string> {
  const known = scripts.get(snippet);
  if (known !== undefined) return known;
  const code = recipe(snippet, DOCUMENT).replaceAll('https://uploads.example', link.url);
  const bundle = await build({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'client',
    logLevel: 'error',
  });
  const script = bundle.outputFiles[0]?.text ?? '';
  scripts.set(snippet, script);
  return script;
}

/** Opens a page of the front end on which the snippet's exports are members of `window.client`. */
async function openWith(snippet: string): Promise<void> {
  const script = await scriptOf(snippet);
  ({ page, complaints } = await browser.open(frontEnd.origin));
  await page.evaluate(`${script}; window.client = client`);
}

/** Returns an expression that makes a file with these bytes in the page. */
function fileOf(name: string, content: Buffer): string {
  return fileExpression({ name, mimeType: 'image/jpeg', buffer: content });
}

async function evaluate<T>(expression: string): Promise<T> {
  return await page.evaluate<T>(expression);
}

const DONE = () => ({ state: 'completed', file: { name: 'harbour ü.jpg', size: bytes.length, sha256: sha256(bytes) } });

async function finalUpload(id: string): Promise<Upload> {
  await resultOf(service.url, id);
  return (await getJson<Upload>(`${service.url}/uploads/${id}`)).body;
}

/** Returns the state, the kind of the result and the reason of a final upload. */
function outcomeOf({ state, result, error }: Upload): unknown[] {
  return [state, result?.kind ?? null, error?.code ?? null];
}

const THREE_OUTCOMES = [
  ['completed', 'picture', null],
  ['completed', 'table', null],
  ['failed', null, 'picture_damaged'],
];

describe('fetch', () => {
  test('sends a picture and a table, and reads why a file failed', async () => {
    await openWith('fetch.js');
    const said: unknown[] = [];
    for (const file of threeFiles(bytes))
      said.push(await evaluate(`client.send(${fileExpression(file)}).then(({ result }) => result.kind, String)`));
    expect(said).toEqual(['picture', 'table', expect.stringMatching(/^Error: picture_damaged: /)]);
  });

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
      `fetch('${link.url}/uploads/${body.id}/result', { headers: { Prefer: 'wait=15' } })
        .then(({ headers }) => headers.get('Preference-Applied'))`,
    );
    expect(applied).toBe('wait=15');
  });
});

describe('EventSource', () => {
  test('follows a picture, a table and a file that fails to their ends', async () => {
    await openWith('event-source.js');
    const send = async ({ name, buffer }: ChosenFile) =>
      (await putFile<Upload>(service.url, crypto.randomUUID(), buffer, name)).body.id;
    const ids = await Promise.all(threeFiles(bytes).map(send));
    const last = await evaluate<Progress[]>(
      `Promise.all(${JSON.stringify(ids)}.map(async (id) => {
        let last;
        await client.follow(id, (progress) => (last = progress));
        return last;
      }))`,
    );
    expect(last.map(({ state, percent }) => [state, percent === 100])).toEqual([
      ['completed', true],
      ['completed', true],
      ['failed', false],
    ]);
  });

  test('follows an upload over a broken connection without missing an event, and ends by itself', async () => {
    await openWith('event-source.js');
    await service.workers.at(-1)?.end();
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
    // The browser reconnects after the cut, and again after the end, when it gets a 204.
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
  test('sends a picture, a table and a file that fails later', async () => {
    await openWith('tus.js');
    const ids = await evaluate<string[]>(
      `Promise.all([${threeFiles(bytes).map(fileExpression).join()}].map(client.send))`,
    );
    const uploads = await Promise.all(ids.map((id) => finalUpload(id)));
    expect(uploads.map(outcomeOf)).toEqual(THREE_OUTCOMES);
  });

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
