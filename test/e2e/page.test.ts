import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Browser, screenshot, startBrowser } from '../helpers/browser.ts';
import { cutShort, photo, textAsJpeg } from '../helpers/pictures.ts';
import { type Service, startService } from '../helpers/service.ts';
import { awaitStates, countProgressRequests, dropFiles, type GivenFile, recordPercents, stageOf } from './page-driver.ts';

let service: Service;
let browser: Browser;
let page: Page;
let complaints: string[];
let photos: GivenFile[];

beforeAll(async () => {
  const exif = { date: '2025:06:21 18:04:11', offset: '+02:00', make: 'FUJIFILM', model: 'X-T5' };
  const pictures = await Promise.all([
    photo({ width: 1600, height: 1200, seed: 1, exif }),
    photo({ width: 900, height: 1200, seed: 2 }),
    photo({ width: 800, height: 600, seed: 3 }),
  ]);
  photos = pictures.map((bytes, index) => ({ name: `photo ${index + 1}.jpg`, type: 'image/jpeg', bytes }));
  service = await startService({ workers: 1 });
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await service.stop();
});

beforeEach(async () => {
  ({ page, complaints } = await browser.open(service.url));
});

afterEach(() => page.close());

test('three photos dropped at once become three finished pictures', async () => {
  const readPercents = await recordPercents(page);
  const requests = countProgressRequests(page);
  await dropFiles(page, photos);
  await awaitStates(page, 3, ['done']);

  const images = page.locator('.thumbnail img');
  await expectLoaded(page, 3);
  for (const source of await images.evaluateAll((all) => all.map((image) => image.getAttribute('src')))) {
    expect(source).toMatch(/^\/variants\/[^/]+\/160$/);
  }
  for (const [name, percents] of Object.entries(await readPercents())) {
    expect([name, percents]).toEqual([name, percents.toSorted((a, b) => a - b)]);
    expect(percents.at(-1)).toBe(100);
  }
  expect(requests.most).toBe(1);
  expect(requests.total).toBeGreaterThan(0);
  expect(await page.title()).toBe('3 done · Deferred uploads');
  expect(await page.locator('#summary').innerText()).toBe('3 of 3 done');
  expect(complaints).toEqual([]);
  await screenshot(page, 'desktop-done');
});

test('a finished picture tells its facts', async () => {
  await dropFiles(page, photos.slice(0, 1));
  await awaitStates(page, 1, ['done']);
  const facts = await page.locator('.facts dd').allInnerTexts();
  expect(facts.slice(0, 4)).toEqual(['1600 × 1200', 'JPEG', 'FUJIFILM X-T5', '21 Jun 2025, 18:04']);
  expect(facts[4]).toMatch(/^#[0-9a-f]{6}$/);
  const original = await page.locator('.links a', { hasText: 'Original' }).getAttribute('href');
  expect(await (await fetch(`${service.url}${original}`)).arrayBuffer()).toHaveProperty('byteLength', photos[0]?.bytes.length);
});

test('what is no picture, or a damaged one, is refused in words', async () => {
  const half = cutShort(await photo({ seed: 4 }));
  await page.setInputFiles('#choose', [
    { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: textAsJpeg() },
    { name: 'half.jpg', mimeType: 'image/jpeg', buffer: half },
  ]);
  await awaitStates(page, 2, ['failed']);
  expect(await stageOf(page, 'notes.jpg')).toMatch(/^This is not a picture/);
  expect(await stageOf(page, 'half.jpg')).toMatch(/cut short/);
  await screenshot(page, 'desktop-refused');
  await page.getByRole('button', { name: 'Remove notes.jpg from the list' }).click();
  await awaitStates(page, 1, ['failed']);
});

test('the first Tab reaches the choice of files, and the keyboard works the lines', async () => {
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('choose');
  await dropFiles(page, photos.slice(0, 2));
  await awaitStates(page, 2, ['done']);
  const remove = page.getByRole('button', { name: /^Remove/ });
  await remove.first().focus();
  await page.keyboard.press('Enter');
  await awaitStates(page, 1, ['done']);
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Remove photo 2.jpg from the list');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'choose');
});

test('says aloud what has become of a picture', async () => {
  await dropFiles(page, photos.slice(2));
  await page.waitForFunction(() => document.querySelector('#announcements')?.textContent?.includes('photo 3.jpg is done.'));
});

test('a phone in the dark shows everything without scrolling sideways', async () => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const long = photos.map((file) => ({ ...file, name: `${'a-rather-long-name-without-any-space'.repeat(3)}-${file.name}` }));
  await dropFiles(page, long);
  await awaitStates(page, 3, ['done']);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(18, 20, 22)');
  await screenshot(page, 'phone-dark');
});

test('a reload in the middle goes on where the upload is', async () => {
  await dropFiles(page, photos);
  await page.waitForFunction(() => [...document.querySelectorAll('.line')].every((line) => line.matches('[data-state=working], [data-state=done]')) && document.querySelectorAll('.line').length === 3);
  await page.reload();
  await awaitStates(page, 3, ['done']);
  expect(await page.locator('.name').allInnerTexts()).toEqual(photos.map((file) => file.name));
  await expectLoaded(page, 3);
});

async function expectLoaded(of: Page, count: number): Promise<void> {
  await of.waitForFunction(
    (expected) => {
      const images = [...document.querySelectorAll<HTMLImageElement>('.thumbnail img')];
      return images.length === expected && images.every((image) => image.src.includes('/variants/') && image.naturalWidth > 0);
    },
    count,
    { polling: 50 },
  );
}
