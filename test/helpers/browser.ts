import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { patienceMs } from './patience.ts';

/** Leads here too, and is no secure context over plain HTTP. */
export const OTHER_MACHINE = 'other-machine.test';

/** What makes Chromium start as root, in a container, and leave the network alone. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Under its own name the loopback address is trusted as much as TLS is; under this one it is another machine.
  `--host-resolver-rules=MAP ${OTHER_MACHINE} 127.0.0.1`,
];

/** How a page is to be seen. */
export interface Look {
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
  /** A new tab at the address. What it complains of in its console is collected in `complaints`. */
  open(url: string): Promise<{ page: Page; complaints: string[] }>;
  /** Ends it and removes its profile. */
  close(): Promise<void>;
}

/** Starts the system's Chromium: `CHROMIUM_PATH`, or where Debian puts it. */
export async function startBrowser(look: Look = {}): Promise<Browser> {
  const executablePath = chromiumPath();
  const profile = await mkdtemp(join(tmpdir(), 'du-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    timeout: patienceMs(30_000),
    args: FLAGS,
    viewport: { width: look.width ?? 1100, height: look.height ?? 900 },
    colorScheme: look.colourScheme ?? 'light',
    // Each frame of a transition is work for the processor, and nobody sees it.
    reducedMotion: 'reduce',
    locale: look.locale ?? 'en-GB',
    hasTouch: look.touch ?? false,
    isMobile: look.touch ?? false,
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

/** Saves what is seen where `SCREENSHOTS` names a directory to look into; otherwise does nothing. */
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

function chromiumPath(): string {
  const candidates = [
    process.env['CHROMIUM_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new Error('No Chromium found: set CHROMIUM_PATH, or install it (apt-get install chromium).');
  return found;
}
