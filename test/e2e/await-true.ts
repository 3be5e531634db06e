import type { Page } from 'playwright-core';

/** The interval of the checks. A check in each frame would keep the browser drawing. */
const POLL_MS = 50;

/** Waits until the condition holds in the page. */
export async function awaitTrue(page: Page, condition: string | (() => unknown)): Promise<void> {
  await page.waitForFunction(condition, undefined, { polling: POLL_MS });
}
