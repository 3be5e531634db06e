import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Browser } from '../helpers/browser.ts';
import { cutShort, photo, textAsJpeg } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import type { Service } from '../helpers/service.ts';
import { sharedBrowser, sharedService } from '../helpers/shared-service.ts';
import {
  awaitStates,
  countRequests,
  downloadBy,
  dropFiles,
  type GivenFile,
  leavePage,
  recordPercents,
  stageOf,
} from './page-driver.ts';

describe('the page', () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let photos: GivenFile[];

  beforeAll(async () => {
    const exif = { date: '2025:06:21 18:04:11', offset: '+02:00', make: 'FUJIFILM', model: 'X-T5' };
    const pictures = await Promise.all([
      photo({ width: 720, height: 540, seed: 1, exif }),
      photo({ width: 300, height: 400, seed: 2 }),
      photo({ width: 240, height: 180, seed: 3 }),
    ]);
    photos = pictures.map((bytes, index) => ({ name: `photo ${index + 1}.jpg`, type: 'image/jpeg', bytes }));
    service = await sharedService();
    browser = await sharedBrowser();
  });

  afterAll(() => {
    // A process that a failed test has stopped could not end.
    service.workers[0]?.child.kill('SIGCONT');
  });

  beforeEach(async () => {
    ({ page, complaints } = await browser.open(service.url));
  });

  afterEach(() => leavePage(page));

  test('turns twenty dropped photos into finished pictures, with one held request and few others', async () => {
    const small = await photo({ width: 120, height: 90 });
    const many = [
      ...photos,
      ...Array.from({ length: 17 }, (_, index) => ({ name: `small ${index}.jpg`, type: 'image/jpeg', bytes: small })),
    ];
    const readPercents = await recordPercents(page);
    const requests = countRequests(page);
    await dropFiles(page, many);
    await awaitStates(page, 20, ['done']);

    expect(await page.locator('.name').allTextContents()).toEqual(many.map(({ name }) => name));
    await awaitTrue(page, () =>
      [...document.querySelectorAll<HTMLImageElement>('.thumbnail img')]
        .slice(0, 3)
        .every(({ src, naturalWidth }) => src.includes('/variants/') && naturalWidth > 0),
    );
    for (const [name, percents] of Object.entries(await readPercents())) {
      expect([name, percents]).toEqual([name, percents.toSorted((a, b) => a - b)]);
      expect(percents.at(-1)).toBe(100);
    }
    expect(requests.mostProgress()).toBe(1);
    expect([...requests.origins]).toEqual([service.url]);
    // Each file is sent once and its result read once.
    expect(requests.total).toMatchObject({ 'PUT /uploads': 20, 'GET /uploads': 20 });
    expect(await page.title()).toBe('20 done · Deferred uploads');
    expect(await page.locator('#summary').textContent()).toBe('20 of 20 done');
    expect(complaints).toEqual([]);
  });

  test('shows a picture from the first moment, and its variant once it exists', async () => {
    const [worker] = service.workers;
    worker?.child.kill('SIGSTOP');
    const requests = countRequests(page);
    await dropFiles(page, photos.slice(0, 1));
    const image = page.locator('.thumbnail img');
    await image.waitFor();
    expect(await image.getAttribute('src')).toMatch(/^blob:/);
    expect(requests.total['GET /variants']).toBeUndefined();
    worker?.child.kill('SIGCONT');
    await awaitStates(page, 1, ['done']);
    await page.locator('.thumbnail img[src^="/variants/"]:only-child').waitFor();
    expect(await page.locator('.thumbnail').getAttribute('href')).toMatch(/^\/variants\/[\w-]+\/1600$/);
  });

  test('shows the place of a picture in the queue, and the progress of all in the title', async () => {
    const [worker] = service.workers;
    worker?.child.kill('SIGSTOP');
    await dropFiles(page, photos.slice(0, 2));
    // Two files are sent at the same time, so either may arrive first.
    await awaitTrue(
      page,
      () =>
        [...document.querySelectorAll('.stage')]
          .map(({ textContent }) => textContent)
          .toSorted()
          .join() === 'Next in the queue,Number 2 in the queue',
    );
    expect(await page.title()).toBe('30% · Deferred uploads');
    expect(await page.locator('#overall').getAttribute('value')).toBe('30');
    worker?.child.kill('SIGCONT');
    await awaitStates(page, 2, ['done']);
  });

  test('hides a file in the list and deletes one on the server, and both can be undone for 5 seconds', async () => {
    const deleted: string[] = [];
    page.on('request', (request) => request.method() === 'DELETE' && deleted.push(request.url()));
    await dropFiles(page, photos.slice(0, 2));
    await awaitStates(page, 2, ['done']);
    const { pathname } = new URL(await downloadBy(page, 'Download all'), service.url);
    expect(pathname).toBe('/archive');
    for (const name of ['Hide photo 1.jpg', 'Delete photo 1.jpg from the server']) {
      await page.getByRole('button', { name }).click();
      await awaitStates(page, 1, ['done']);
      await page.getByRole('button', { name: 'Undo' }).click();
      await awaitStates(page, 2, ['done']);
    }
    expect(deleted).toEqual([]);
    await page.getByRole('button', { name: 'Delete photo 1.jpg from the server' }).click();
    // Closing the page ends the time to undo.
    const answer = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')));
    expect((await answer).status()).toBe(204);
    expect(await fetch(deleted[0] ?? '')).toHaveProperty('status', 410);
  });

  test('paints photos for people who have none, and can sort them by colour', async () => {
    await page.getByRole('button', { name: /paint some/ }).click();
    await awaitStates(page, 6, ['done']);
    expect(await page.locator('.tile').count()).toBe(6);
    // The groups before it are empty and leave no gap.
    await awaitTrue(page, () => {
      const groups = [...document.querySelectorAll('.group:not([hidden])')];
      return groups.map((group) => getComputedStyle(group).marginTop).join() === '0px';
    });
    await page.selectOption('#sort', { label: 'By colour' });
    const names = await page.locator('.name').allTextContents();
    expect(names.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((number) => `landscape ${number}.jpg`));
    await page.selectOption('#sort', { label: 'As added' });
    expect(await page.locator('.name').allTextContents()).toEqual(names.toSorted());
  });

  test('shows the facts of a finished picture', async () => {
    await dropFiles(page, photos.slice(0, 1));
    await awaitStates(page, 1, ['done']);
    const facts = await page.locator('.facts dd').allTextContents();
    expect(facts.slice(0, 4)).toEqual(['720 × 540', 'JPEG', 'FUJIFILM X-T5', '21 Jun 2025, 18:04']);
    expect(await page.locator('.swatch').getAttribute('aria-label')).toMatch(/^#[0-9a-f]{6}$/);
    expect(await (await fetch(await downloadBy(page, 'Original'))).arrayBuffer()).toHaveProperty(
      'byteLength',
      photos[0]?.bytes.length,
    );
  });

  test('shows columns, first rows and left-out rows of a finished table', async () => {
    const bytes = Buffer.from(
      'harbour,berths,opened\nHamburg,290,1189-05-07\n<b>Rotterdam</b>,1100,1360-01-01\nShanghai,125\n',
    );
    await dropFiles(page, [{ name: 'harbours.csv', type: 'text/csv', bytes }]);
    await awaitStates(page, 1, ['done']);
    expect((await page.locator('.facts dd').allTextContents()).slice(0, 2)).toEqual(['2 rows, 3 columns', 'CSV']);
    expect(await page.locator('.table-sample th').allTextContents()).toEqual([
      'harbour text',
      'berths whole number',
      'opened date',
    ]);
    expect(await page.locator('.table-sample td').allTextContents()).toEqual([
      'Hamburg',
      '290',
      '1189-05-07',
      '<b>Rotterdam</b>',
      '1100',
      '1360-01-01',
    ]);
    expect(await stageOf(page, 'harbours.csv')).toBe('Done, with notes');
    expect(await page.locator('.notes').textContent()).toMatch(/^1 row skipped\s*Line 4: The row has 2 cells/);
    const rows = await page.getByRole('link', { name: 'All rows as JSON Lines' }).getAttribute('href');
    expect(
      (await (await fetch(`${service.url}${rows}`)).text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { harbour: 'Hamburg', berths: 290, opened: '1189-05-07' },
      { harbour: '<b>Rotterdam</b>', berths: 1100, opened: '1360-01-01' },
    ]);
    expect(complaints).toEqual([]);
  });

  test('rejects a file that is not a picture or is damaged with a reason, and continues the others', async () => {
    const half = cutShort(await photo({ width: 480, height: 360, seed: 4 }));
    await page.setInputFiles('#choose', [
      { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() },
      { name: 'half.jpg', mimeType: 'image/jpeg', buffer: half },
      { name: 'whole.jpg', mimeType: 'image/jpeg', buffer: photos[2]?.bytes ?? half },
    ]);
    await awaitStates(page, 3, ['failed', 'done']);
    expect(await stageOf(page, 'notes.jpg')).toMatch(/^This file contains no picture or table that can be read here/);
    expect(await stageOf(page, 'half.jpg')).toMatch(/incomplete/);
    expect(await stageOf(page, 'whole.jpg')).toBe('Done');
    expect(await page.locator('#summary').textContent()).toBe('1 of 3 done, 2 failed');
    await page.getByRole('button', { name: 'Hide notes.jpg' }).click();
    await awaitStates(page, 2, ['failed', 'done']);
  });

  test('shows only the lines of the chosen group, until the last of them is hidden', async () => {
    await dropFiles(page, [{ name: 'notes.jpg', type: 'image/jpeg', bytes: textAsJpeg() }, ...photos.slice(2)]);
    await awaitStates(page, 2, ['failed', 'done']);
    service.workers[0]?.child.kill('SIGSTOP');
    await dropFiles(page, photos.slice(1, 2));
    await awaitStates(page, 3, ['working', 'failed', 'done']);
    const filters = page.locator('#filters');
    const visible = page.locator('.file:visible .name');
    for (const [filter, names] of [
      ['Working 1', ['photo 2.jpg']],
      ['Failed 1', ['notes.jpg']],
      ['Done 1', ['photo 3.jpg']],
      ['All 3', ['photo 2.jpg', 'notes.jpg', 'photo 3.jpg']],
      ['Failed 1', ['notes.jpg']],
    ] as const) {
      await filters.getByRole('button', { name: filter, exact: true }).click();
      expect(await visible.allTextContents()).toEqual(names);
      expect(await filters.locator('[aria-pressed=true]').allTextContents()).toEqual([filter]);
    }
    await page.getByRole('button', { name: 'Hide notes.jpg' }).click();
    await awaitTrue(page, () => document.querySelector('#uploads')?.getAttribute('data-filter') === 'all');
    expect(await visible.allTextContents()).toEqual(['photo 2.jpg', 'photo 3.jpg']);
    service.workers[0]?.child.kill('SIGCONT');
    await awaitStates(page, 2, ['done']);
  });

  test('can be used with the keyboard: the first Tab reaches the choice of files', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('choose');
    await dropFiles(page, photos.slice(0, 2));
    await awaitStates(page, 2, ['done']);
    const remove = page.getByRole('button', { name: /^Hide photo/ });
    await remove.first().focus();
    await page.keyboard.press('Enter');
    await awaitStates(page, 1, ['done']);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Hide photo 2.jpg');
    await page.keyboard.press('Enter');
    await awaitTrue(page, () => document.activeElement?.id === 'choose');
  });

  test('announces the outcome of a picture to screen readers', async () => {
    await dropFiles(page, photos.slice(2));
    await awaitTrue(page, () =>
      document.querySelector('#announcements')?.textContent?.includes('photo 3.jpg is done.'),
    );
  });

  test('continues running uploads after a reload, and shows finished ones', async () => {
    await dropFiles(page, photos);
    await awaitStates(page, 3, ['working', 'done']);
    await page.reload();
    await awaitStates(page, 3, ['done']);
    expect(await page.locator('.name').allTextContents()).toEqual(photos.map((file) => file.name));
    await awaitTrue(
      page,
      () =>
        [...document.querySelectorAll<HTMLImageElement>('.thumbnail img')].filter(({ src }) =>
          src.includes('/variants/'),
        ).length === 3,
    );
    await page.getByRole('button', { name: 'Hide finished' }).click();
    await awaitStates(page, 0, []);
    await page.reload();
    await awaitTrue(page, () => localStorage.length === 0);
    expect(await page.locator('#uploads').isVisible()).toBe(false);
  });

  test('does not touch the uploads of another page in the same browser', async () => {
    await dropFiles(page, photos.slice(0, 1));
    await awaitStates(page, 1, ['done']);
    const beside = await browser.context.newPage();
    await beside.goto(service.url);
    await beside.locator('body[data-restored]').waitFor();
    expect(await beside.locator('.file').count()).toBe(0);
    await page.close();
    await beside.reload();
    await awaitStates(beside, 1, ['done']);
    page = beside;
  });

  test('is in the language of the browser until the user chooses another one', async () => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'languages', { value: ['zh-CN', 'en'] }));
    await page.reload();
    await page.locator('html[lang=zh-CN]').waitFor();
    expect([await page.title(), await page.locator('h1').innerText(), await page.getAttribute('html', 'lang')]).toEqual(
      ['上传文件', '上传文件', 'zh-CN'],
    );
    await page.setInputFiles('#choose', [{ name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() }]);
    await awaitStates(page, 1, ['failed']);
    expect(await stageOf(page, 'notes.jpg')).toMatch(/^文件中没有可以读取的图片或表格/);
    await page.selectOption('#language', { label: 'Deutsch' });
    await page.getByText('Aus dieser Datei lassen sich hier weder Bild noch Tabelle lesen.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Dateien hochladen' }).waitFor();
  });
});
