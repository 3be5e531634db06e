import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Upload } from '../../src/wire/documents.ts';
import { newSecret, newTicket } from '../helpers/access-file.ts';
import { type Browser, startBrowser } from '../helpers/browser.ts';
import { putFile } from '../helpers/client.ts';
import { failByOurFault } from '../helpers/fail-by-our-fault.ts';
import { failWebhook } from '../helpers/fail-webhook.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import { type Service, type ServiceProcess, startService } from '../helpers/service.ts';
import { expectAccessible } from './expect-accessible.ts';
import { awaitStage, dropFiles, leavePage } from './page-driver.ts';

const TOKEN = 'the-token-of-the-operators';
const PREFIX = 'watched';

let service: Service;
let browser: Browser;
let bytes: Buffer;
let pages: Page[] = [];

beforeAll(async () => {
  const env = { OPERATORS_TOKEN: TOKEN, QUEUE_PREFIX: PREFIX };
  [service, browser, bytes] = await Promise.all([
    startService({ apis: 2, workers: 0, env }),
    startBrowser(),
    photo({ width: 300, height: 200 }),
  ]);
  await browser.context.setHTTPCredentials({ username: 'operator', password: TOKEN });
});

afterAll(async () => {
  await browser.close();
  await service.stop();
});

afterEach(async () => {
  for (const page of pages) await page.close();
  pages = [];
});

async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
  const opened = await browser.open(service.url + path);
  pages.push(opened.page);
  return opened;
}

async function awaitText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([where, what]) => document.querySelector(where)?.textContent === what,
    [selector, text] as const,
    { polling: 50 },
  );
}

async function send(name: string): Promise<Upload> {
  return (await putFile<Upload>(service.url, randomUUID(), bytes, name)).body;
}

test('the live view shows the current figures and updates them', async () => {
  const { page, complaints } = await open('/operators');
  await awaitText(page, '#status', 'Live');
  await awaitTrue(page, () => document.querySelectorAll('#process-rows tr').length === 2);
  await awaitText(page, '#waiting', '0');
  const { id, version } = await send('a.jpg');
  const held = fetch(`${service.url}/uploads/${id}/progress?since=${version}&timeout=${LONG_HOLD_MS}`);
  await awaitText(page, '#waiting', '1');
  await awaitText(page, '#free-places', '4,999 of 5,000 places free');
  await awaitText(page, '#held', '1');
  expect(await page.locator('#route-rows td').allInnerTexts()).toEqual(['/uploads/:id/progress', '1']);
  await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' });
  await held;
  await awaitText(page, '#held', '0');
  await awaitTrue(page, () => document.querySelector('#wake')?.textContent?.includes(' ms · '));
  expect(complaints).toEqual([]);
});

test('a hidden page requests nothing, and requests the newest figures when it is shown again', async () => {
  const page = await browser.context.newPage();
  pages.push(page);
  await page.clock.install();
  await page.goto(`${service.url}/operators`);
  await awaitText(page, '#status', 'Live');
  await setHidden(page, true);
  let asked = 0;
  page.on('request', (request) => (asked += request.url().endsWith('/figures') ? 1 : 0));
  await page.clock.runFor(60_000);
  expect(asked).toBe(0);
  const answered = page.waitForResponse('**/operators/figures');
  await setHidden(page, false);
  await answered;
});

async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

test('failures are retried by mouse or keyboard, and a failure that cannot be retried says why', async () => {
  const [first, second, third] = [await send('first.jpg'), await send('second.jpg'), await send('<i>third.jpg')];
  for (const { id } of [first, second, third]) await failByOurFault(service, PREFIX, id);
  const { page, complaints } = await open('/operators');
  await awaitTrue(page, () => document.querySelectorAll('#failures-rows tr').length === 3);
  await expectAccessible(page, 'operators');
  expect((await page.locator('#failures-rows .name').allInnerTexts()).join()).toContain('<i>third.jpg');
  await page.getByRole('button', { name: 'Retry first.jpg' }).focus();
  await page.keyboard.press('Enter');
  await awaitTrue(page, () => document.querySelectorAll('#failures-rows tr').length === 2);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('failures');
  await page.getByRole('button', { name: 'Retry all shown' }).click();
  await page.waitForSelector('#failures-none', { state: 'visible' });
  const states = await Promise.all(
    [first, second, third].map(
      async ({ id }) => ((await (await fetch(`${service.url}/uploads/${id}`)).json()) as Upload).state,
    ),
  );
  expect([states, complaints]).toEqual([['queued', 'queued', 'queued'], []]);
});

test('a webhook that was not delivered is listed with its reason, and can be sent again', async () => {
  await failWebhook(service, PREFIX);
  const { page, complaints } = await open('/operators');
  await awaitTrue(page, () => document.querySelectorAll('#deliveries-rows tr').length === 1);
  await expectAccessible(page, 'operators-webhooks');
  const row = (await page.locator('#deliveries-rows tr').allInnerTexts()).join();
  expect(row).toContain('upload.cancelled to default, main');
  expect(row).toContain('address refused');
  await page.getByRole('button', { name: 'Replay upload.cancelled to default, main' }).click();
  await page.waitForSelector('#deliveries-none', { state: 'visible' });
  expect(complaints).toEqual([]);
});

test('the page says that there are no new figures, and shows the last ones', async () => {
  const { page } = await open('/operators');
  await awaitText(page, '#status', 'Live');
  await service.redis.down();
  await awaitTrue(page, () =>
    document.querySelector('#status')?.textContent?.startsWith('No figures: The service cannot reach its queue'),
  );
  expect(await page.locator('#process-rows tr').count()).toBe(2);
  await service.redis.up();
  await awaitText(page, '#status', 'Live');
});

describe('the page of a service that needs tickets', () => {
  const SECRET = newSecret();
  let directory: string;
  let api: ServiceProcess;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'du-access-'));
    const ACCESS_FILE = join(directory, 'access.json');
    const tenants = { acme: { tickets: [{ kid: 'hs', alg: 'HS256', secret: SECRET }] } };
    await writeFile(ACCESS_FILE, JSON.stringify({ tenants }));
    api = await service.addApi({ ACCESS_FILE });
  });

  afterAll(async () => {
    await api.end();
    await rm(directory, { recursive: true, force: true });
  });

  const drop = async (page: Page) => await dropFiles(page, [{ name: 'a.jpg', type: 'image/jpeg', bytes }]);

  test('sends a file with the ticket of the link, and removes the ticket from the address', async () => {
    const ticket = await newTicket('hs', SECRET, { upload: { types: ['image/*'], metadata: { order: 7 } } });
    const { page, complaints } = await browser.open(`${api.url}/#ticket=${ticket}`);
    pages.push(page);
    const created = page.waitForResponse((response) => response.request().method() === 'PUT');
    await drop(page);
    const upload = (await (await created).json()) as Upload;
    expect([upload.tenant, upload.metadata]).toEqual(['acme', { order: 7 }]);
    await awaitStage(page, /./);
    expect([new URL(page.url()).hash, complaints]).toEqual(['', []]);
    await leavePage(page);
  });

  test('says without a ticket that an upload link is needed', async () => {
    const { page } = await browser.open(api.url);
    pages.push(page);
    await drop(page);
    await awaitStage(page, /only with an upload link/);
  });
});
