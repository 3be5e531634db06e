import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Browser, screenshot, startBrowser } from '../helpers/browser.ts';
import { photo } from '../helpers/pictures.ts';
import { type Service, startService } from '../helpers/service.ts';
import { awaitStates, dropFiles, type GivenFile, type Network, networkOf, recordPercents } from './page-driver.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A photo of half a megabyte takes some ten seconds at this speed: enough to do something meanwhile. */
const SLOW = { bytesPerSecond: 60_000 };

let service: Service;
let browser: Browser;
let proxy: TcpProxy;
let page: Page;
let setNetwork: (network: Network) => Promise<void>;
let picture: GivenFile;

beforeAll(async () => {
  picture = { name: 'photo.jpg', type: 'image/jpeg', bytes: await photo({ width: 1600, height: 1200 }) };
  service = await startService();
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await service.stop();
});

beforeEach(async () => {
  proxy = await startTcpProxy(service.url);
  ({ page } = await browser.open(proxy.url));
  setNetwork = await networkOf(page);
});

afterEach(async () => {
  await page.close();
  await proxy.stop();
});

test('a cancelled upload stops, and can be tried again', async () => {
  await startSlowly();
  await page.getByRole('button', { name: 'Cancel photo.jpg' }).click();
  await awaitStates(page, 1, ['cancelled']);
  await setNetwork({});
  await page.getByRole('button', { name: 'Try photo.jpg again' }).click();
  await awaitStates(page, 1, ['done']);
});

test('an upload whose connection breaks is sent again by itself, and never goes back', async () => {
  const readPercents = await recordPercents(page);
  const puts = new Set<string>();
  page.on('request', (request) => request.method() === 'PUT' && puts.add(request.url()));
  await startSlowly();
  // First the cut: at full speed the rest of the picture would be through before it.
  proxy.cut();
  await setNetwork({});
  await page.waitForFunction(() => document.querySelector('.stage')?.textContent?.startsWith('Connection lost'));
  await page.waitForSelector('#offline', { state: 'visible' });
  await screenshot(page, 'desktop-offline');
  proxy.mend();
  await awaitStates(page, 1, ['done']);
  await page.waitForSelector('#offline', { state: 'hidden' });
  expect(puts.size).toBe(1);
  const percents = (await readPercents())['photo.jpg'] ?? [];
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
});

test('a reload in mid-sending says in words that the picture has to be chosen again', async () => {
  await startSlowly();
  await page.reload();
  await setNetwork({});
  await awaitStates(page, 1, ['failed']);
  expect(await page.locator('.stage').innerText()).toMatch(/^The page was reloaded before/);
});

test('an API process that is replaced in mid-poll is not missed', async () => {
  const [api] = service.apis;
  const [worker] = service.workers;
  // Nobody works, so that the picture waits in the queue while the processes change.
  await worker?.end();
  await dropFiles(page, [picture]);
  await awaitStates(page, 1, ['working']);
  proxy.cut();
  await api?.end();
  const successor = await service.addApi();
  proxy.retarget(successor.url);
  proxy.mend();
  await service.addWorker();
  await awaitStates(page, 1, ['done']);
});

async function startSlowly(): Promise<void> {
  await setNetwork(SLOW);
  await dropFiles(page, [picture]);
  await page.waitForFunction(() => /^Sending, [1-9]/.test(document.querySelector('.stage')?.textContent ?? ''));
}
