import type { Buffer } from 'node:buffer';
import type { Page, Request } from 'playwright-core';
import { patienceMs } from '../helpers/patience.ts';

/** A file that a person drops or chooses. */
export interface GivenFile {
  name: string;
  type: string;
  bytes: Buffer;
}

/** Drops the files on the page, all at once. */
export async function dropFiles(page: Page, files: readonly GivenFile[]): Promise<void> {
  const portable = files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString('base64') }));
  await page.evaluate((given) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of given) {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
    }
    for (const kind of ['dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }, portable);
}

/** Waits until there are `count` lines and each is in one of the states. */
export async function awaitStates(page: Page, count: number, states: readonly string[]): Promise<void> {
  const wanted = states.map((state) => `[data-state=${state}]`).join(', ');
  await page.waitForFunction(
    ([all, selector]) => {
      const lines = [...document.querySelectorAll('.file')];
      return lines.length === all && lines.every((line) => line.matches(selector));
    },
    [count, wanted] as const,
    { timeout: patienceMs(30_000), polling: 50 },
  );
}

/**
 * Returns the stage that the line of the file shows. `innerText` is empty in a line that the browser has not drawn yet
 * (`content-visibility`), so tests read the text content of lines.
 */
export async function stageOf(page: Page, name: string): Promise<string | null> {
  return await page.locator('.file', { hasText: name }).locator('.stage').textContent();
}

/** Clicks the button and returns the address of the download that it starts. */
export async function downloadBy(page: Page, name: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ]);
  const url = download.url();
  await download.cancel();
  return url;
}

/** Waits until the stage of the first line matches the pattern. */
export async function awaitStage(page: Page, pattern: RegExp): Promise<void> {
  await page.waitForFunction(
    ([source]) => new RegExp(source).test(document.querySelector('.stage')?.textContent ?? ''),
    [pattern.source] as const,
    { polling: 20 },
  );
}

/** Records every percent that the bar of a line shows from now on, by the name of the file. */
export async function recordPercents(page: Page): Promise<() => Promise<Record<string, number[]>>> {
  const recorded = await page.evaluateHandle(() => {
    const percents: Record<string, number[]> = {};
    const note = (bar: HTMLProgressElement): void => {
      const name = bar.closest('.file')?.querySelector('.name')?.textContent ?? '';
      if (bar.hasAttribute('value')) (percents[name] ??= []).push(bar.value);
    };
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        if (target instanceof HTMLProgressElement) note(target);
        for (const node of addedNodes) {
          if (node instanceof Element) node.querySelectorAll('progress').forEach(note);
        }
      }
    }).observe(document.querySelector('#uploads') ?? document.body, {
      subtree: true,
      childList: true,
      attributeFilter: ['value'],
    });
    return percents;
  });
  return () => recorded.jsonValue();
}

/** The requests of a page. */
export interface RequestCount {
  /** Returns the highest number of progress requests that were held at the same time. */
  mostProgress(): number;
  /** The number of requests by method and first part of the path, such as `GET /progress`. */
  readonly total: Record<string, number>;
  /** The origins that were requested, without addresses of the browser itself. */
  readonly origins: ReadonlySet<string>;
}

/** The browser rounds the times of a request to about this. */
const CLOCK_STEP_MS = 2;

/** Counts the requests of the page from now on. */
export function countRequests(page: Page): RequestCount {
  const total: Record<string, number> = {};
  const origins = new Set<string>();
  const held = new Map<Request, { from: number; to: number }>();
  page.on('request', (request) => {
    const { origin, pathname, protocol } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:') origins.add(origin);
    const kind = `${request.method()} /${pathname.split('/')[1]}`;
    total[kind] = (total[kind] ?? 0) + 1;
    if (kind === 'GET /progress') held.set(request, { from: Date.now(), to: Infinity });
  });
  // The event may come after the page has begun its next request, so the browser's own times count.
  page.on('requestfinished', (request) => {
    const { startTime, responseEnd } = request.timing();
    if (held.has(request)) held.set(request, { from: startTime, to: startTime + responseEnd - CLOCK_STEP_MS });
  });
  // A request that the next one replaces has ended for the page. The browser reports the two in any order.
  page.on('requestfailed', (request) => held.delete(request));
  const openAt = (at: number): number => [...held.values()].filter(({ from, to }) => from <= at && at < to).length;
  return { total, origins, mostProgress: () => Math.max(0, ...[...held.values()].map(({ from }) => openAt(from))) };
}

/** Closes the page and removes everything that it has stored in the browser. */
export async function leavePage(page: Page): Promise<void> {
  const { origin } = new URL(page.url());
  await page.goto('about:blank');
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'local_storage,indexeddb' });
  await page.close();
}

/** The conditions of the network. `bytesPerSecond` limits both directions. */
export interface Network {
  bytesPerSecond?: number;
  offline?: boolean;
}

/** Returns a function that sets the conditions of the page's network. An empty object removes every limit. */
export async function networkOf(page: Page): Promise<(network: Network) => Promise<void>> {
  // Only the session that has set conditions can remove them.
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  return async ({ bytesPerSecond = -1, offline = false }) => {
    await session.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
  };
}
