import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/setup/chromium-binary.mjs';
import { patienceMs } from './patience.ts';

/** A name for 127.0.0.1 that is not a secure context over plain HTTP. */
export const OTHER_MACHINE = 'other-machine.test';

/** Lets Chromium start as root and in a container, without network access of its own. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Browsers trust the loopback address like TLS. Under this name it counts as another machine.
  `--host-resolver-rules=MAP ${OTHER_MACHINE} 127.0.0.1`,
];

/** How a page is displayed. */
export interface Appearance {
  /** CSS pixels; 1100 by 900 by default. */
  width?: number;
  height?: number;
  colourScheme?: 'light' | 'dark';
  locale?: string;
  touch?: boolean;
}

/** A browser with a fresh profile of its own. */
export interface Browser {
  readonly context: BrowserContext;
  /** Opens a new tab at the address. Errors and warnings of its console are collected in `complaints`. */
  open(url: string): Promise<{ page: Page; complaints: string[] }>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Starts the Chromium that the set-up has found or installed. */
export async function startBrowser(appearance: Appearance = {}): Promise<Browser> {
  const executablePath = await findChromium();
  if (executablePath === undefined) throw new Error('No Chromium found: install one, or set CHROMIUM_PATH.');
  const profile = await mkdtemp(join(tmpdir(), 'du-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    timeout: patienceMs(30_000),
    args: FLAGS,
    viewport: { width: appearance.width ?? 1100, height: appearance.height ?? 900 },
    colorScheme: appearance.colourScheme ?? 'light',
    // Transitions would only cost processor time.
    reducedMotion: 'reduce',
    locale: appearance.locale ?? 'en-GB',
    hasTouch: appearance.touch ?? false,
    isMobile: appearance.touch ?? false,
  });
  context.setDefaultTimeout(patienceMs(30_000));
  return {
    context,
    open: (url) => openTab(context, url),
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Saves a screenshot in the directory that `SCREENSHOTS` names. Does nothing without it. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (directory === undefined) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}

async function openTab(context: BrowserContext, url: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}
