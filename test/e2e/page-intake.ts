import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Browser, OTHER_MACHINE } from '../helpers/browser.ts';
import { photo } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { sharedBrowser, sharedService } from '../helpers/shared-service.ts';
import { awaitTrue } from './await-true.ts';
import { awaitStates, dropFiles, leavePage, stageOf } from './page-driver.ts';

describe('the choice of files on the page', () => {
  const TABLE = 'harbour,berths\nHamburg,290\nRotterdam,1100\n';

  let service: Service;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let picture: Buffer;
  let folder: string;

  beforeAll(async () => {
    [picture, folder] = await Promise.all([photo({ width: 240, height: 180 }), mkdtemp(join(tmpdir(), 'du-folder-'))]);
    await mkdir(join(folder, 'deeper', 'still'), { recursive: true });
    await writeFile(join(folder, 'first.jpg'), picture);
    await writeFile(join(folder, 'deeper', 'still', 'second.jpg'), picture);
    await writeFile(join(folder, 'deeper', 'harbours.csv'), TABLE);
    await writeFile(join(folder, 'deeper', 'Thumbs.db'), 'not for anybody');
    service = await sharedService();
    browser = await sharedBrowser();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    ({ page, complaints } = await browser.open(service.url));
  });

  afterEach(() => leavePage(page));

  async function expectWhatTheFolderHolds(): Promise<void> {
    await awaitStates(page, 3, ['done']);
    expect((await page.locator('.name').allTextContents()).toSorted()).toEqual([
      'first.jpg',
      'harbours.csv',
      'second.jpg',
    ]);
  }

  /** Drags the file or folder over the middle of the window, as the browser reports it. */
  async function dragOf(path: string): Promise<(type: 'dragEnter' | 'dragOver' | 'drop') => Promise<void>> {
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    return async (type) => void (await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data }));
  }

  test('accepts every picture and table of dropped folders, and nothing else', async () => {
    const drag = await dragOf(folder);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await drag(type);
    await expectWhatTheFolderHolds();
  });

  test('accepts every picture and table of a chosen folder, and nothing else', async () => {
    await page.setInputFiles('#folder', folder);
    await expectWhatTheFolderHolds();
  });

  test('covers the whole window while files are dragged over it, also over a scrolled list', async () => {
    await dropFiles(page, [{ name: 'photo.jpg', type: 'image/jpeg', bytes: picture }]);
    await awaitStates(page, 1, ['done']);
    await page.setViewportSize({ width: 800, height: 400 });
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(100);
    const veil = page.locator('.drop-veil');
    const text = page.getByText('Drop to upload');
    const drag = await dragOf(join(folder, 'first.jpg'));
    await drag('dragEnter');
    await drag('dragOver');
    await text.waitFor();
    expect(await veil.boundingBox()).toEqual({ x: 0, y: 0, width: 800, height: 400 });
    const { y, height } = (await text.boundingBox()) ?? { y: -1, height: 0 };
    expect([y > 0, y + height < 400]).toEqual([true, true]);
    await page.evaluate(() => document.body.dispatchEvent(new DragEvent('dragleave', { bubbles: true })));
    await text.waitFor({ state: 'hidden' });
    await drag('dragEnter');
    await drag('dragOver');
    await text.waitFor();
    await drag('drop');
    await awaitStates(page, 2, ['done']);
    expect(await veil.isVisible()).toBe(false);
  });

  test('accepts a pasted picture', async () => {
    await page.evaluate((base64) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(
        new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], 'image.png', { type: 'image/png' }),
      );
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }, picture.toString('base64'));
    await awaitStates(page, 1, ['done']);
  });

  test('refuses a file that is too large or of another type before it sends a byte', async () => {
    const types = [{ type: 'image/jpeg', kind: 'picture', extensions: ['jpg'] }];
    await page.route('**/limits', (route) =>
      route.fulfill({ json: { maxFileBytes: 2000, retentionMs: 86_400_000, types } }),
    );
    await page.reload();
    await page.getByText('Up to 2 kB per file.').waitFor();
    const sent: string[] = [];
    page.on('request', (request) => request.method() === 'PUT' && sent.push(request.url()));
    await dropFiles(page, [
      { name: 'photo.jpg', type: 'image/jpeg', bytes: picture },
      { name: 'song.mp3', type: 'audio/mpeg', bytes: Buffer.alloc(1000) },
    ]);
    await awaitStates(page, 2, ['failed']);
    expect(await stageOf(page, 'photo.jpg')).toMatch(/^Too large: \d+ kB\. The limit is 2 kB\.$/);
    expect(await stageOf(page, 'song.mp3')).toBe("This file type isn't supported. Nothing was sent.");
    expect(sent).toEqual([]);
    await page.getByRole('button', { name: 'Upload anyway: song.mp3' }).click();
    await page.getByText('This file contains no picture or table').waitFor();
    expect(sent).toHaveLength(1);
  });

  test('keeps 150 pictures in order, in blocks that are rendered only near the window', async () => {
    const types = [{ type: 'image/jpeg', kind: 'picture', extensions: ['jpg'] }];
    await page.route('**/limits', (route) => route.fulfill({ json: { maxFileBytes: 1, retentionMs: 1000, types } }));
    await page.reload();
    await page.getByText('Up to 1 kB per file.').waitFor();
    const names = Array.from({ length: 150 }, (_, index) => `photo ${100 + index}.jpg`);
    await dropFiles(
      page,
      names.map((name) => ({ name, type: 'image/jpeg', bytes: Buffer.alloc(2) })),
    );
    await awaitStates(page, 150, ['failed']);
    const tilesOfBlocks = (): Promise<number[]> =>
      page.locator('.block').evaluateAll((blocks) => blocks.map((block) => block.childElementCount));
    expect(await tilesOfBlocks()).toEqual([60, 60, 30]);
    expect(await page.locator('.tile .name').allTextContents()).toEqual(names);
    const last = page.locator('.tile').last();
    expect(await last.evaluate((tile) => tile.checkVisibility({ contentVisibilityAuto: true }))).toBe(false);
    await page.getByRole('button', { name: 'Hide photo 100.jpg' }).click();
    await awaitTrue(page, () => document.querySelectorAll('.block')[2]?.childElementCount === 29);
    expect(await page.locator('.tile .name').allTextContents()).toEqual(names.slice(1));
  });

  test('offers the camera in place of folders on a phone', async () => {
    const camera = page.getByText('Take a photo');
    const folders = page.getByText('Choose a folder');
    expect([await camera.isVisible(), await folders.isVisible()]).toEqual([false, true]);
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 5 });
    await session.send('Emulation.setDeviceMetricsOverride', {
      width: 390,
      height: 800,
      deviceScaleFactor: 3,
      mobile: true,
    });
    await camera.waitFor();
    expect(await folders.isVisible()).toBe(false);
    const chosen = page.waitForEvent('filechooser');
    await camera.click();
    const chooser = await chosen;
    expect(await chooser.element().getAttribute('capture')).toBe('environment');
    await chooser.setFiles({ name: 'image.jpg', mimeType: 'image/jpeg', buffer: picture });
    await awaitStates(page, 1, ['done']);
  });

  test('works over plain HTTP from another machine, where browsers offer fewer functions', async () => {
    await page.goto(`http://${OTHER_MACHINE}:${new URL(service.url).port}/`);
    expect(await page.evaluate(() => [isSecureContext, 'randomUUID' in crypto, 'clipboard' in navigator])).toEqual([
      false,
      false,
      false,
    ]);
    await dropFiles(page, [{ name: 'photo.jpg', type: 'image/jpeg', bytes: picture }]);
    await awaitStates(page, 1, ['done']);
    await page.evaluate(() =>
      document.addEventListener('copy', () => (document.body.dataset['copied'] = String(document.getSelection()))),
    );
    await page.getByRole('button', { name: 'Copy link' }).click();
    await page.getByRole('button', { name: 'Link copied' }).waitFor();
    expect(await page.getAttribute('body', 'data-copied')).toMatch(
      /^http:\/\/other-machine\.test:.*\/variants\/[\w-]+\/1600$/,
    );
    // For each origin without TLS, Chromium reports that it ignores the header.
    expect(complaints.filter((complaint) => !complaint.startsWith('The Cross-Origin-Opener-Policy header'))).toEqual(
      [],
    );
  });
});
