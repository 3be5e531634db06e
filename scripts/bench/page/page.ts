import type { Page } from 'playwright-core';
import { startBrowser } from '../../../test/helpers/browser.ts';
import { photo } from '../../../test/helpers/pictures.ts';
import { startService } from '../../../test/helpers/service.ts';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { printOnSignals } from '../lib/session.ts';
import { pollEverySecond } from './poll-every-second.ts';
import { reportPage, type DropFigures, type LoadFigures, type PageFigures } from './report.ts';

const defaults = { files: 200, loads: 9, workers: 2 };
const quick = { files: 20, loads: 2 };

/** Number of different pictures. The other files are copies with other names. */
const DIFFERENT_PHOTOS = 4;

const IDLE_MS = 1000;

/** Measures the size and load time of the page, and many files dropped at the same time. */
export const page: Bench<typeof defaults> = {
  name: 'page',
  summary:
    'weight and first paint of the page; smoothness and requests with many files dropped at once, beside ' +
    'polling once a second',
  defaults,
  quick,
  async run(options) {
    const photos = await Promise.all(
      Array.from({ length: DIFFERENT_PHOTOS }, (_, index) => photo({ width: 1200, height: 900, seed: index + 1 })),
    );
    const service = await startService({
      workers: options.workers,
      env: { LOG_LEVEL: 'warn', UPLOAD_MAX_OPEN_PER_ADDRESS: '1000' },
    });
    const browser = await startBrowser();
    const close = async (): Promise<void> => {
      await browser.close();
      await service.stop();
    };
    const figures: PageFigures = { loads: [], dropped: undefined, polled: undefined };
    const report = () => reportPage(options, figures);
    onInterrupt(report);
    const giveSignalsBack = printOnSignals(close);
    try {
      say(`${options.loads} loads`);
      while (figures.loads.length < options.loads)
        figures.loads.push(await measureLoad((await browser.open('about:blank')).page, service.url));
      say(`${options.files} files dropped`);
      figures.dropped = await measureDrop((await browser.open(service.url)).page, photos, options.files);
      say(`${options.files} files, and a poll for each once a second`);
      figures.polled = await pollEverySecond(service.url, photos, options.files);
      return report();
    } finally {
      await close();
      giveSignalsBack();
    }
  },
};

/** Measures a first visit with an empty cache. */
async function measureLoad(tab: Page, url: string): Promise<LoadFigures> {
  const session = await tab.context().newCDPSession(tab);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  let requests = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await tab.goto(url, { waitUntil: 'networkidle' });
  const firstPaintMs = await tab.evaluate(async () => {
    for (;;) {
      const paint = performance.getEntriesByName('first-contentful-paint').at(0);
      if (paint) return paint.startTime;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await tab.close();
  return { firstPaintMs, bytes, requests };
}

async function measureDrop(tab: Page, photos: readonly Buffer[], count: number): Promise<DropFigures> {
  const requests: Record<string, number> = {};
  await giveFiles(tab, photos, count);
  await tab.waitForTimeout(IDLE_MS);
  tab.on('request', (request) => {
    const { protocol, pathname } = new URL(request.url());
    // Local previews use no network.
    if (protocol === 'blob:' || protocol === 'data:') return;
    const kind = `${request.method()} /${pathname.split('/')[1]}`;
    requests[kind] = (requests[kind] ?? 0) + 1;
  });
  const startedAtMs = performance.now();
  await tab.evaluate(dropGivenFiles);
  await tab.waitForFunction((all) => document.querySelectorAll('[data-state=done]').length === all, count, {
    timeout: 300_000,
    polling: 100,
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  await tab.waitForTimeout(IDLE_MS);
  const longTasksMs = await tab.evaluate(() => (window as unknown as { longTasksMs: number[] }).longTasksMs);
  return { requests, seconds, longTasksMs };
}

/** Creates the files in the page, so that only the drop is measured later. */
async function giveFiles(tab: Page, photos: readonly Buffer[], count: number): Promise<void> {
  const base64 = photos.map((bytes) => bytes.toString('base64'));
  await tab.evaluate(
    ([texts, total]) => {
      const transfer = new DataTransfer();
      const parts = texts.map((text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
      for (let index = 0; index < total; index += 1) {
        transfer.items.add(
          new File([parts[index % parts.length] ?? ''], `photo ${index + 1}.jpg`, { type: 'image/jpeg' }),
        );
      }
      Object.assign(window, { transfer });
    },
    [base64, count] as const,
  );
}

function dropGivenFiles(): void {
  const longTasksMs: number[] = [];
  new PerformanceObserver((list) => longTasksMs.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
  });
  Object.assign(window, { longTasksMs });
  const { transfer } = window as unknown as { transfer: DataTransfer };
  // The drop runs in a separate event, as it does after an action of the user.
  setTimeout(() =>
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })),
  );
}
