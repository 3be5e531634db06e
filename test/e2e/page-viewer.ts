import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import type { Browser } from '../helpers/browser.ts';
import { photo } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import type { Service } from '../helpers/service.ts';
import { sharedBrowser, sharedService } from '../helpers/shared-service.ts';
import { awaitStates, dropFiles, leavePage } from './page-driver.ts';

describe('the viewer of the page', () => {
  let service: Service;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    // Large enough for the variant of 1600 pixels.
    const bytes = await photo({ width: 1600, height: 1200, seed: 1 });
    const photos = [1, 2, 3].map((number) => ({ name: `photo ${number}.jpg`, type: 'image/jpeg', bytes }));
    service = await sharedService();
    browser = await sharedBrowser();
    ({ page } = await browser.open(service.url));
    await dropFiles(page, photos);
    await awaitStates(page, 3, ['done']);
  });

  afterAll(() => leavePage(page));

  // The list stays the same. Each test begins with the first picture.
  beforeEach(async () => {
    await page.goto(service.url);
    await page.getByRole('link', { name: 'Open photo 1.jpg' }).click();
    await page.getByText('1 of 3', { exact: true }).waitFor();
  });

  test('is controlled by keys, the back button and a link', async () => {
    await page.keyboard.press('ArrowRight');
    await page.getByText('2 of 3', { exact: true }).waitFor();
    const link = page.url();
    expect(link).toMatch(/#photo=[\w-]+\/1600$/);
    await page.goBack();
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    expect(page.url()).toBe(`${service.url}/`);
    await page.goto(link);
    await page.getByText('2 of 3', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#viewer').waitFor({ state: 'hidden' });
    const other = await browser.context.newPage();
    await other.goto(link);
    await awaitTrue(other, () => (document.querySelector<HTMLImageElement>('#viewer-image')?.naturalWidth ?? 0) > 0);
    expect(await other.locator('.viewer-details').innerText()).toBe('');
    await other.close();
  });

  test('shows the next picture after a swipe to the left, and the previous one to the right', async () => {
    const touch = await page.context().newCDPSession(page);
    await touch.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 });
    await swipe(touch, -200);
    await page.getByText('2 of 3', { exact: true }).waitFor();
    await swipe(touch, 200);
    await page.getByText('1 of 3', { exact: true }).waitFor();
    await swipe(touch, -20);
    await swipe(touch, -60, { upPx: 250 });
    await swipe(touch, -200, { fingers: 2 });
    // None of these moves was a swipe, so the picture is at its place again.
    expect(await page.locator('#viewer-count').innerText()).toBe('1 of 3');
    expect(await page.locator('#viewer-stage').getAttribute('style')).toBe('');
    await swipe(touch, -200);
    await page.getByText('2 of 3', { exact: true }).waitFor();
  });

  /** Moves one or two fingers over the picture in steps, as a person does. */
  async function swipe(touch: CDPSession, distancePx: number, { upPx = 0, fingers = 1 } = {}): Promise<void> {
    const pointsAt = (part: number): { x: number; y: number; id: number }[] =>
      Array.from({ length: fingers }, (_, id) => ({ x: 400 + id * 60 + distancePx * part, y: 450 - upPx * part, id }));
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: pointsAt(0) });
    for (const part of [0.25, 0.5, 0.75, 1])
      await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: pointsAt(part) });
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }
});
