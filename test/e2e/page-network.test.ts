import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import { type Browser, startBrowser } from '../helpers/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { type Service, startService } from '../helpers/service.ts';
import {
  awaitStage,
  awaitStates,
  downloadBy,
  dropFiles,
  type GivenFile,
  type Network,
  networkOf,
  recordPercents,
  stageOf,
} from './page-driver.ts';

/** A photo of half a megabyte takes some ten seconds at this speed, which is enough for the actions of a test. */
const SLOW = { bytesPerSecond: 60_000 };

let service: Service;
let browser: Browser;
let link: Link;
let page: Page;
let setNetwork: (network: Network) => Promise<void>;
let picture: GivenFile;

beforeAll(async () => {
  picture = { name: 'photo.jpg', type: 'image/jpeg', bytes: await photo({ width: 1600, height: 1200 }) };
  service = await startService();
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
});

beforeEach(async () => {
  link = await Link.open(service.url);
  ({ page } = await browser.open(link.url));
  setNetwork = await networkOf(page);
});

afterEach(async () => {
  await page.close();
  await link.close();
});

test('a cancelled upload stops, and can be sent again', async () => {
  await startSlowly();
  await page.getByRole('button', { name: 'Cancel photo.jpg' }).click();
  await awaitStates(page, 1, ['cancelled']);
  await setNetwork({});
  await page.getByRole('button', { name: 'Try again: photo.jpg' }).click();
  await awaitStates(page, 1, ['done']);
});

test('a paused upload stays paused, even over a reload, and can continue', async () => {
  await startSlowly();
  await page.getByRole('button', { name: 'Pause photo.jpg' }).click();
  await awaitStates(page, 1, ['paused']);
  expect(await stageOf(page, 'photo.jpg')).toMatch(/^Paused at .* of 614 kB$/);
  await awaitKept(page, 1);
  await page.reload();
  await awaitStates(page, 1, ['paused']);
  await setNetwork({});
  await page.getByRole('button', { name: 'Resume all' }).click();
  await awaitStates(page, 1, ['done']);
});

test('a proxy that buffers the file hides no progress, because the browser counts the bytes too', async () => {
  await page.route('**/progress?*', (route) => {
    const ids = new URL(route.request().url()).searchParams.getAll('upload');
    const error = { type: 'about:blank', title: 'Unknown', status: 404, detail: 'Unknown.', code: 'unknown_upload' };
    return route.fulfill({ json: { uploads: ids.map((id) => ({ id: id.split('~')[0], error })), timedOut: false } });
  });
  await startSlowly();
  await page.unroute('**/progress?*');
  await setNetwork({});
  await awaitStates(page, 1, ['done']);
});

test('an upload whose connection breaks is sent again by itself, and its progress never goes down', async () => {
  const readPercents = await recordPercents(page);
  const puts = new Set<string>();
  page.on('request', (request) => request.method() === 'PUT' && puts.add(request.url()));
  await startSlowly();
  // The link is cut first, because at full speed the rest of the picture would arrive before the cut.
  link.cut();
  await setNetwork({});
  await awaitStage(page, /^Connection lost/);
  await page.waitForSelector('#offline', { state: 'visible' });
  link.repair();
  await awaitStates(page, 1, ['done']);
  await page.waitForSelector('#offline', { state: 'hidden' });
  expect(puts.size).toBe(1);
  await expectForwards(readPercents);
});

test('an upload that goes offline continues when it is online again', async () => {
  const readPercents = await recordPercents(page);
  await startSlowly();
  // The emulated network lets requests that have begun continue, so the link is cut.
  link.cut();
  await setNetwork({ offline: true });
  await awaitStage(page, /^Connection lost/);
  expect(await page.evaluate(() => navigator.onLine)).toBe(false);
  link.repair();
  await setNetwork({});
  await awaitStates(page, 1, ['done']);
  await expectForwards(readPercents);
});

test('a reload during a transfer continues with the file that the browser has stored', async () => {
  await startSlowly();
  await awaitKept(page, 1);
  await page.reload();
  await setNetwork({});
  await awaitStates(page, 1, ['done']);
  await awaitKept(page, 0);
});

test('a reload during a large file continues at the same byte', async () => {
  await setNetwork({ bytesPerSecond: 8_000_000 });
  // The bytes after the picture have no meaning and make the file larger.
  const size = await page.evaluate((base64) => {
    const head = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([head, new Uint8Array(34 * 2 ** 20)], 'large.jpg', { type: 'image/jpeg' }));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    return transfer.files[0]?.size ?? 0;
  }, picture.bytes.toString('base64'));
  await awaitStage(page, /^Sending, [1-9]\d MB/);
  // The upload is paused, so that bytes are left to send when the browser has stored the file.
  await page.getByRole('button', { name: 'Pause large.jpg' }).click();
  await awaitKept(page, 1);
  await page.reload();
  const offsets: number[] = [];
  page.on(
    'request',
    (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])),
  );
  await setNetwork({});
  await page.getByRole('button', { name: 'Resume large.jpg' }).click();
  await awaitStates(page, 1, ['done']);
  expect(offsets[0]).toBeGreaterThan(5_000_000);
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(offsets.at(-1)).toBeLessThan(size);
  // All its bytes have arrived once.
  const original = new URL(await downloadBy(page, 'Original'));
  const { headers } = await fetch(`${service.url}${original.pathname}`, { method: 'HEAD' });
  expect(Number(headers.get('content-length'))).toBe(size);
});

test('a reload during a transfer asks for a file that the browser could not store, and accepts no other', async () => {
  await page.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
  await page.reload();
  await startSlowly();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await setNetwork({});
  await awaitStates(page, 1, ['stopped']);
  expect(await stageOf(page, 'photo.jpg')).toMatch(/Choose the file again/);
  const choose = async (buffer: Buffer) => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Choose again: photo.jpg' }).click();
    await (await chooser).setFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer });
  };
  await choose(picture.bytes.subarray(1));
  await awaitStage(page, /^That was another file/);
  await choose(picture.bytes);
  await awaitStates(page, 1, ['done']);
});

test('the page misses no change when an API process is replaced during a poll', async () => {
  const [api] = service.apis;
  const [worker] = service.workers;
  // No worker runs, so the picture waits in the queue while the processes change.
  await worker?.end();
  await dropFiles(page, [picture]);
  await awaitStates(page, 1, ['working']);
  link.cut();
  await api?.end();
  const successor = await service.addApi();
  link.retarget(successor.url);
  link.repair();
  await service.addWorker();
  await awaitStates(page, 1, ['done']);
});

async function startSlowly(): Promise<void> {
  await setNetwork(SLOW);
  await dropFiles(page, [picture]);
  await awaitStage(page, /^Sending, [1-9]/);
}

async function expectForwards(readPercents: () => Promise<Record<string, number[]>>): Promise<void> {
  const percents = (await readPercents())['photo.jpg'] ?? [];
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(percents.at(-1)).toBe(100);
}

/** Waits until the browser has stored `count` files. */
async function awaitKept(of: Page, count: number): Promise<void> {
  await eventually(`${count} kept files`, async () => (await of.evaluate(countKept)) === count);
}

async function countKept(): Promise<number> {
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open('deferred-uploads', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('files');
    request.onsuccess = () => resolve(request.result);
  });
  const count = await new Promise<number>((resolve) => {
    const request = database.transaction('files').objectStore('files').count();
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  return count;
}
