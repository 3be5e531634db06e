import { afterAll, beforeAll, describe, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Browser } from '../helpers/browser.ts';
import { cutShort, photo, textAsJpeg } from '../helpers/pictures.ts';
import { awaitTrue } from './await-true.ts';
import type { Service } from '../helpers/service.ts';
import { sharedBrowser, sharedService } from '../helpers/shared-service.ts';
import { expectAccessible, TWO_APPEARANCES } from './expect-accessible.ts';
import { awaitStates, dropFiles, type GivenFile, leavePage, networkOf } from './page-driver.ts';

describe('the accessibility of the page', () => {
  const TABLE: GivenFile = {
    name: 'harbours.csv',
    type: 'text/csv',
    bytes: Buffer.from(
      'harbour,berths,depth in ' +
        'metres,opened\nHamburg,290,16.7,1189-05-07\nRotterdam,"1,100",24,1360-01-01\nShanghai,125,15.5\n',
    ),
  };

  const PROGRESS = /\/progress\?/;

  let service: Service;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    service = await sharedService();
    browser = await sharedBrowser();
    ({ page } = await browser.open(service.url));
  });

  afterAll(async () => {
    service.workers[0]?.child.kill('SIGCONT');
    await leavePage(page);
  });

  test('has no violations on an empty page in any width and colour scheme', async () => {
    await expectAccessible(page, 'empty');
  });

  test('has no violations with a line in every state', async () => {
    const exif = { date: '2025:06:21 18:04:11', make: 'FUJIFILM', model: 'X-T5' };
    const large = jpeg(
      'harbour-with-a-rather-long-name-and-without-any-space-in-it.jpg',
      await photo({ width: 640, height: 480, seed: 5, exif }),
    );
    const small = jpeg('tower.jpg', await photo({ width: 300, height: 400, seed: 2 }));
    await leaveUnsent(page);
    await holdProgressBriefly(page);
    await page.reload();
    await awaitStates(page, 1, ['stopped']);
    await page.unroute(PROGRESS);
    await dropFiles(page, [
      large,
      small,
      jpeg('notes.jpg', textAsJpeg()),
      jpeg('half.jpg', cutShort(large.bytes)),
      TABLE,
    ]);
    await awaitStates(page, 6, ['stopped', 'done', 'failed']);

    // No upload advances from here on: one waits in the queue, and the others are being sent.
    service.workers[0]?.child.kill('SIGSTOP');
    await dropFiles(page, [jpeg('queued.jpg', small.bytes), jpeg('queued too.jpg', small.bytes)]);
    await awaitStates(page, 8, ['stopped', 'done', 'failed', 'working']);
    // The file is so large that it does not arrive before the page was checked.
    const endless = Buffer.concat([large.bytes, Buffer.alloc(900_000)]);
    const setNetwork = await networkOf(page);
    await setNetwork({ bytesPerSecond: 20_000 });
    await dropFiles(
      page,
      ['sent.jpg', 'paused.jpg', 'cancelled.jpg', 'waiting.jpg', 'waiting too.jpg'].map((name) => jpeg(name, endless)),
    );
    await awaitTrue(page, () => document.querySelectorAll('[data-state=sending]').length === 3);
    await page.getByRole('button', { name: 'Pause paused.jpg' }).click();
    await page.getByRole('button', { name: 'Cancel cancelled.jpg' }).click();
    await page.locator('[data-state=cancelled]').waitFor();

    await expectAccessible(page, 'full');
    await page.getByRole('link', { name: 'Open tower.jpg' }).click();
    await page.getByText('2 of 2', { exact: true }).waitFor();
    await expectAccessible(page, 'viewer', TWO_APPEARANCES);
  });

  function jpeg(name: string, bytes: Buffer): GivenFile {
    return { name, type: 'image/jpeg', bytes };
  }

  /**
   * Lets the page wait only briefly. The service holds the progress of an unknown upload for 25 seconds, because the
   * upload may still begin.
   */
  async function holdProgressBriefly(of: Page): Promise<void> {
    await of.route(PROGRESS, (route) =>
      route.continue({
        url: route
          .request()
          .url()
          .replace(/timeout=\d+/, 'timeout=100'),
      }),
    );
  }

  /** Leaves the state of a page that was closed before it could send. The next page continues it. */
  async function leaveUnsent(of: Page): Promise<void> {
    await of.evaluate(() => {
      const id = '0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10';
      localStorage.setItem(
        `deferred-uploads:${id}`,
        JSON.stringify({ name: 'left.jpg', sizeBytes: 3_400_000, owner: 'gone', order: 99 }),
      );
    });
  }
});
