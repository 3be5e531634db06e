import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from '../helpers/browser.ts';
import { compiled } from '../helpers/compiled.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo, textAsJpeg } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import type { Service } from '../helpers/service.ts';
import { sharedBrowser, sharedService } from '../helpers/shared-service.ts';
import { recipe } from './recipes.ts';

describe('the recipes of the client', () => {
  let service: Service;
  let browser: Browser;
  let directory: string;
  let bytes: Buffer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'du-recipes-'));
    bytes = await photo({ width: 900, height: 600 });
    service = await sharedService();
    browser = await sharedBrowser();
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Opens a page of the given documents as though the service had them. */
  async function openRecipe(documents: Readonly<Record<string, { contentType: string; body: string }>>) {
    const opened = await browser.open('about:blank');
    for (const [path, document] of Object.entries(documents))
      await opened.page.route(`${service.url}${path}`, (route) => route.fulfill(document));
    await opened.page.goto(`${service.url}${Object.keys(documents)[0]}`);
    return opened;
  }

  const PICTURE = () => ({ name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: bytes });

  test('include a script for Node that reports each file, and fails with the reason of a rejected one', async () => {
    await writeFile(join(directory, 'client.js'), await (await fetch(`${service.url}/client.js`)).text());
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await writeFile(join(directory, 'send.mjs'), recipe('send.mjs'));
    await writeFile(join(directory, 'harbour.jpg'), bytes);
    await writeFile(join(directory, 'notes.jpg'), textAsJpeg());
    const script = spawn(process.execPath, ['send.mjs', service.url, 'harbour.jpg', 'notes.jpg'], { cwd: directory });
    const said: string[] = [];
    for (const stream of [script.stdout, script.stderr]) createInterface(stream).on('line', (line) => said.push(line));
    const [code] = await once(script, 'close');
    expect(said).toContain('harbour.jpg: 100 % done');
    expect(said.find((line) => /^harbour\.jpg: 900 × 600, http:\/\/.*\/variants\/.*\/1600$/.test(line))).toBeDefined();
    expect(
      said.some(
        (line) => !line.startsWith('harbour.jpg: ') && !line.startsWith('notes.jpg: ') && line.includes('image/jpeg'),
      ),
    ).toBe(true);
    expect(code).toBe(1);
  });

  test('include a plain form that shows the state of its pictures', async () => {
    const { page, complaints } = await openRecipe({
      '/form.html': { contentType: 'text/html', body: recipe('form.html') },
    });
    await page.setInputFiles('input', [PICTURE(), { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() }]);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('link', { name: '900 × 600' }).waitFor();
    await page.locator('li', { hasText: /notes\.jpg.*image\/jpeg/ }).waitFor();
    expect(complaints.filter((complaint) => !complaint.includes('415'))).toEqual([]);
    await page.close();
  });

  test('include a list in React that shows a result, and the reason of a rejected file with a retry', async () => {
    await writeFile(join(directory, 'gallery.jsx'), recipe('gallery.jsx', 'docs/react.md'));
    const bundle = await build({
      entryPoints: [join(directory, 'gallery.jsx')],
      bundle: true,
      write: false,
      format: 'esm',
      jsx: 'automatic',
      logLevel: 'error',
      // Strict mode mounts components twice only in development.
      define: { 'process.env.NODE_ENV': '"development"' },
      alias: {
        'deferred-uploads/client': resolve('src/client/upload-client.ts'),
        'deferred-uploads/react': resolve('src/integrations/react/react.ts'),
      },
      nodePaths: [resolve('node_modules')],
      tsconfigRaw: {},
    });
    const { page, complaints } = await openRecipe({
      '/gallery.html': {
        contentType: 'text/html',
        body:
          '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" ' +
          'src="/gallery.js"></script>',
      },
      '/gallery.js': { contentType: 'text/javascript', body: bundle.outputFiles[0]?.text ?? '' },
    });
    await page.setInputFiles('input', [PICTURE(), { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() }]);
    const link = page.getByRole('link', { name: 'harbour.jpg: 900 × 600' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toMatch(/^http:.*\/variants\/[\w-]+\/1600$/);
    const rejected = page.locator('li', { hasText: /image\/jpeg/ });
    await rejected.getByRole('button', { name: 'Retry notes.jpg' }).click();
    await rejected.getByRole('button', { name: 'Remove notes.jpg' }).click();
    await eventually('the removal', async () => (await page.locator('li').count()) === 1);
    expect(complaints.filter((complaint) => !complaint.includes('415'))).toEqual([]);
    await page.close();
  });

  test('follow an upload that was stored before a reload, and remove it at its end', async () => {
    const { page } = await openRecipe({
      '/keep.html': {
        contentType: 'text/html',
        body: '<!doctype html><script type="module">import * as keep from "/keep.js"; window.keep = keep;</script>',
      },
      '/keep.js': { contentType: 'text/javascript', body: recipe('keep.js') },
    });
    const kept = () => page.evaluate(() => JSON.parse(localStorage.getItem('uploads') ?? '[]') as string[]);
    await awaitTrue(page, () => 'keep' in window);
    await page.evaluate((base64) => {
      const file = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const { keep } = window as unknown as { keep: { send(blob: Blob): unknown } };
      keep.send(new Blob([file], { type: 'image/jpeg' }));
    }, bytes.toString('base64'));
    expect(await kept()).toHaveLength(1);
    await eventually('the first byte', async () => {
      const [id] = await kept();
      return id === undefined || (await fetch(`${service.url}/uploads/${id}`)).ok;
    });
    await page.reload();
    await awaitTrue(page, () => 'keep' in window);
    const states = await page.evaluate(async () => {
      const { keep } = window as unknown as { keep: { goOn(): { result: Promise<{ state: string }> }[] } };
      return await Promise.all(
        keep
          .goOn()
          .map(async ({ result }) => (await result.catch((error: { code: string }) => ({ state: error.code }))).state),
      );
    });
    // Whether the reload came after the last byte is not in our hands.
    for (const state of states) expect(['completed', 'upload_interrupted']).toContain(state);
    expect(await kept()).toEqual([]);
    await page.close();
  });

  test('include a page without script that shows a picture which was made after the page was loaded', async () => {
    const example = spawn(process.execPath, [compiled('docs/examples/without-script.ts'), service.url, '0']);
    const [line] = (await once(createInterface(example.stdout), 'line')) as [string];
    const closed = once(example, 'close');
    try {
      const { page } = await browser.open('about:blank');
      const session = await page.context().newCDPSession(page);
      await session.send('Emulation.setScriptExecutionDisabled', { value: true });
      await page.goto(line);
      await page.setInputFiles('input', [
        PICTURE(),
        { name: '<b>notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() },
      ]);
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
});
