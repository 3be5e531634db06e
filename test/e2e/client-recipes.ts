import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { compiled } from '../helpers/compiled.ts';
import { eventually } from '../helpers/eventually.ts';
import { holdPort } from '../helpers/hold-port.ts';
import { textAsJpeg } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import { type FrontEnd, sharedFrontEnd, threeFiles, withService } from './front-end.ts';
import { dropFiles } from './page-driver.ts';
import { recipe } from './recipes.ts';

let parts: FrontEnd;
let directory: string;

beforeAll(async () => {
  parts = await sharedFrontEnd();
  directory = await mkdtemp(join(tmpdir(), 'du-script-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Opens a page of the front end that has a recipe of client.md as a module, with its exports in `window.recipe`. */
async function openRecipe(name: string, body = ''): Promise<{ page: Page; complaints: string[] }> {
  const { pages, browser } = parts;
  pages.serve(`/${name}`, 'text/javascript', withService(recipe(name), parts));
  pages.serve(
    `/with-${name}`,
    'text/html',
    `<!doctype html><link rel="icon" href="data:,">${body}` +
      `<script type="module">import * as recipe from '/${name}'; window.recipe = recipe;</script>`,
  );
  const opened = await browser.open(`${pages.origin}/with-${name}`);
  await awaitTrue(opened.page, () => 'recipe' in window);
  return opened;
}

const REJECTED = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() };

/** Returns the complaints except for rejected files, which the console reports as errors too. */
function unexpected(complaints: readonly string[]): string[] {
  return complaints.filter((complaint) => !complaint.includes('status of 415'));
}

describe('the script for Node', () => {
  /** Runs the recipe with files of the directory, and collects its lines. */
  async function startScript(baseUrl: string, names: readonly string[]) {
    await writeFile(join(directory, 'client.js'), await (await fetch(`${parts.service.url}/client.js`)).text());
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await writeFile(join(directory, 'send.mjs'), recipe('send.mjs'));
    const script = spawn(process.execPath, ['send.mjs', baseUrl, ...names], { cwd: directory });
    const said: string[] = [];
    for (const stream of [script.stdout, script.stderr]) createInterface(stream).on('line', (line) => said.push(line));
    return { script, said };
  }

  test('reports a picture and a table, and the reasons of files that failed', async () => {
    const files = [...threeFiles(parts.bytes), REJECTED];
    for (const { name, buffer } of files) await writeFile(join(directory, name), buffer);
    const { script, said } = await startScript(
      parts.service.url,
      files.map(({ name }) => name),
    );
    const [code] = await once(script, 'close');
    expect(said).toContain('harbour.jpg: 100 % done');
    const url = said.find((line) => line.startsWith('harbour.jpg: 800 × 600, '))?.split(', ')[1] ?? '';
    expect((await fetch(url)).headers.get('Content-Type')).toMatch(/^image\//);
    expect(said.find((line) => /^prices\.csv: 3 rows, http.*\/variants\//.test(line))).toBeDefined();
    expect(said.find((line) => /^broken\.jpg: (?!\d)/.test(line))).toBeDefined();
    expect(said.find((line) => /^notes\.jpg: .*image\/jpeg/.test(line))).toBeDefined();
    expect(code).toBe(1);
  });

  test('says within seconds that nothing listens at the address', async () => {
    const held = await holdPort();
    await writeFile(join(directory, 'harbour.jpg'), parts.bytes);
    const { script, said } = await startScript(`http://127.0.0.1:${held.port}`, ['harbour.jpg']);
    await eventually('the reason', () => said.length > 0);
    script.kill();
    await once(script, 'close');
    held.release();
    expect(said[0]).toMatch(/^harbour\.jpg: The server could not be reached \(ECONNREFUSED\)/);
  });
});

test('the plain form shows a picture, a table and the reasons of files that failed', async () => {
  const { pages, browser, bytes } = parts;
  pages.serve('/form.html', 'text/html', withService(recipe('form.html'), parts));
  const { page, complaints } = await browser.open(`${pages.origin}/form.html`);
  await page.setInputFiles('input', [...threeFiles(bytes), REJECTED]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('li', { hasText: /notes\.jpg.*image\/jpeg/ }).waitFor();
  await page.locator('li', { hasText: 'broken.jpg' }).locator('progress').waitFor({ state: 'detached' });
  await awaitTrue(page, () => (document.querySelector('img')?.naturalWidth ?? 0) > 0);
  const rows = page.getByRole('link', { name: '3 rows' });
  await rows.waitFor();
  expect(await (await fetch((await rows.getAttribute('href')) ?? '')).text()).toContain('"price":1');
  expect(unexpected(complaints).filter((complaint) => !complaint.includes('favicon'))).toEqual([]);
  await page.close();
});

test('the recipe for another origin returns the address of a picture', async () => {
  const { page, complaints } = await openRecipe('other-origin.js');
  const type = await page.evaluate(async (base64) => {
    const { recipe: imported } = window as unknown as { recipe: { addressOf(file: Blob): Promise<string> } };
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const url = await imported.addressOf(new Blob([bytes], { type: 'image/jpeg' }));
    return (await fetch(url)).headers.get('Content-Type');
  }, parts.bytes.toString('base64'));
  expect(type).toMatch(/^image\//);
  expect(complaints).toEqual([]);
  await page.close();
});

test('the first example returns a result on a page of the service', async () => {
  const { service, browser } = parts;
  const { page } = await browser.open('about:blank');
  await page.route(`${service.url}/first`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<script type="module">import { send } from './first.js'; window.send = send;</script>`,
    }),
  );
  await page.route(`${service.url}/first.js`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: recipe('first.js') }),
  );
  await page.goto(`${service.url}/first`);
  await awaitTrue(page, () => 'send' in window);
  expect(await page.evaluate(`send(new Blob(['a,b\\n1,2\\n'])).then(({ kind }) => kind)`)).toBe('table');
  await page.close();
});

test('the example with tickets sends the ticket of the back end', async () => {
  parts.pages.serve('/upload-ticket', 'text/plain', 'signed');
  const { page } = await openRecipe('with-ticket.js');
  const sent = page.waitForRequest((request) => request.method() === 'PUT');
  await page.evaluate(`void recipe.client.upload(new Blob(['a,b\\n1,2\\n']))`);
  expect((await sent).headers()['authorization']).toBe('Bearer signed');
  await page.close();
});

describe('a page that gets no answer', () => {
  /** Resolves with the first reason that the client reports. */
  async function reasonAt(origin: string, baseUrl: string): Promise<unknown> {
    const { page } = await parts.browser.open(origin);
    const reason = await page.evaluate(
      async ([script, address]) => {
        const { createUploadClient } = (await import(script)) as typeof import('../../src/client/upload-client.ts');
        const client = createUploadClient({ baseUrl: address });
        return await new Promise((resolve) => {
          client.upload(new Blob(['x']), { onPhase: (_phase, problem) => problem && resolve(problem.code) });
        });
      },
      [`${origin}/client.js`, baseUrl] as const,
    );
    await page.close();
    return reason;
  }

  test('learns within seconds that its origin is not in CORS_ORIGINS, or that nothing listens', async () => {
    const { pages, service } = parts;
    pages.serve('/client.js', 'text/javascript', await (await fetch(`${service.url}/client.js`)).text());
    const held = await holdPort();
    // The same server under another name is another origin.
    const stranger = pages.origin.replace('127.0.0.1', 'localhost');
    expect(await reasonAt(stranger, service.url)).toBe('cors_blocked');
    expect(await reasonAt(pages.origin, `http://127.0.0.1:${held.port}`)).toBe('connection_lost');
    held.release();
  });
});

test('the recipe for choosing rejects chosen and dropped files before it sends them', async () => {
  const { page } = await openRecipe('choose.js', '<div id="box"><input type="file" multiple></div>');
  await page.evaluate(() => {
    const { recipe: imported } = window as unknown as { recipe: { chooseIn: (...parameters: unknown[]) => void } };
    const said: unknown[] = [];
    Object.assign(window, { said });
    imported.chooseIn(
      document.body,
      (upload: { result: Promise<{ result: { kind: string } }> }) => {
        void upload.result.then(({ result }) => said.push(result.kind));
      },
      (file: File, problem: { code: string }) => said.push(`${file.name}: ${problem.code}`),
    );
  });
  const [picture, table] = threeFiles(parts.bytes);
  const large = { name: 'large.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(2_000_001) };
  await page.setInputFiles('input', [picture, large]);
  await dropFiles(page, [
    { name: table.name, type: table.mimeType, bytes: table.buffer },
    { name: 'film.mkv', type: 'video/x-matroska', bytes: Buffer.from('x') },
  ]);
  await awaitTrue(page, () => (window as unknown as { said: unknown[] }).said.length === 4);
  const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
  expect(said.toSorted()).toEqual([
    'film.mkv: unsupported_media_type',
    'large.jpg: file_too_large',
    'picture',
    'table',
  ]);
  await page.close();
});

test('the recipe for a reload follows an upload that was stored before it, and forgets it at its end', async () => {
  const { page } = await openRecipe('keep.js');
  const kept = () => page.evaluate(() => JSON.parse(localStorage.getItem('uploads') ?? '[]') as string[]);
  await page.evaluate((base64) => {
    const file = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const { recipe: keep } = window as unknown as { recipe: { send(blob: Blob): unknown } };
    keep.send(new Blob([file], { type: 'image/jpeg' }));
  }, parts.bytes.toString('base64'));
  expect(await kept()).toHaveLength(1);
  await eventually('the first byte', async () => {
    const [id] = await kept();
    return id === undefined || (await fetch(`${parts.service.url}/uploads/${id}`)).ok;
  });
  await page.reload();
  await awaitTrue(page, () => 'recipe' in window);
  const states = await page.evaluate(async () => {
    const { recipe: keep } = window as unknown as { recipe: { goOn(): { result: Promise<{ state: string }> }[] } };
    return await Promise.all(
      keep
        .goOn()
        .map(async ({ result }) => (await result.catch((error: { code: string }) => ({ state: error.code }))).state),
    );
  });
  // The reload may come before or after the last byte.
  for (const state of states) expect(['completed', 'upload_interrupted']).toContain(state);
  expect(await kept()).toEqual([]);
  await page.close();
});

test('the page without script shows a picture which was made after the page was loaded', async () => {
  const { service, browser, bytes } = parts;
  const example = spawn(process.execPath, [compiled('docs/examples/without-script.ts'), service.url, '0']);
  const [line] = (await once(createInterface(example.stdout), 'line')) as [string];
  const closed = once(example, 'close');
  try {
    const { page } = await browser.open('about:blank');
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setScriptExecutionDisabled', { value: true });
    await page.goto(line);
    const [picture] = threeFiles(bytes);
    await page.setInputFiles('input', [picture, { ...REJECTED, name: '<b>notes.jpg' }]);
    // The page is loaded when its held picture is.
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForLoadState('load');
    const image = page.getByRole('img', { name: 'harbour.jpg' });
    expect((await image.boundingBox())?.width).toBe(640);
    expect(await page.locator('p').innerText()).toMatch(/^<b>notes\.jpg .*image\/jpeg/);
    await page.close();
  } finally {
    example.kill();
    await closed;
  }
});
