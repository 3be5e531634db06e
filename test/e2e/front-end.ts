import { afterAll, afterEach } from '@jest/globals';
import { build } from 'esbuild';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import type { Browser } from '../helpers/browser.ts';
import { cutShort, photo } from '../helpers/pictures.ts';
import { type Service, startService } from '../helpers/service.ts';
import { sharedBrowser } from '../helpers/shared-service.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { type ChosenFile, createSlowProcessor, type SlowProcessor } from './slow-processor.ts';

/** The parts that the suites of one test file share: pages at one origin, and the service at another one. */
export interface FrontEnd {
  readonly pages: PageServer;
  /** Has two API processes and one worker. */
  readonly service: Service;
  /** The address of the service for the pages. Tests may cut it, and repair it. */
  readonly link: Link;
  readonly browser: Browser;
  readonly slow: SlowProcessor;
  /** A picture of 800 by 600, in several hundred kilobytes. */
  readonly bytes: Buffer;
}

let shared: Promise<FrontEnd> | undefined;

// This also runs after a failure, so that the next test finds a free worker and no other page.
afterEach(async () => {
  const parts = await shared;
  await parts?.slow.finishAll();
  const [, ...tabs] = parts?.browser.context.pages() ?? [];
  await Promise.all(tabs.map((tab) => tab.close()));
});

afterAll(async () => {
  const parts = await shared;
  await parts?.link.close();
  await parts?.service.stop();
  await parts?.pages.stop();
  await parts?.slow.remove();
});

/** Starts everything with the first call. It ends after the last test of the file. */
export async function sharedFrontEnd(): Promise<FrontEnd> {
  return await (shared ??= start());
}

async function start(): Promise<FrontEnd> {
  const [pages, slow] = await Promise.all([startPageServer(), createSlowProcessor()]);
  const env = {
    CORS_ORIGINS: pages.origin,
    UPLOAD_MAX_BYTES: '2000000',
    UPLOAD_MAX_REQUEST_BYTES: '4000000',
    PROCESSORS: slow.manifest,
    // Two slow files must not keep others from being processed.
    WORKER_CONCURRENCY: '4',
  };
  const [bytes, service, browser] = await Promise.all([
    photo({ width: 800, height: 600, quality: 100 }),
    startService({ env, apis: 2 }),
    sharedBrowser(),
  ]);
  const link = await Link.open(service.url);
  return { pages, service, link, browser, slow, bytes };
}

/** Returns a picture, a table of three rows, and a picture that cannot be processed. */
export function threeFiles(bytes: Buffer): [picture: ChosenFile, table: ChosenFile, failing: ChosenFile] {
  return [
    { name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: bytes },
    { name: 'prices.csv', mimeType: 'text/csv', buffer: Buffer.from('name,price\na,1\nb,2\nc,3\n') },
    { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: cutShort(bytes) },
  ];
}

/** Replaces the address of the docs by the address of the service. */
export function withService(code: string, { link }: FrontEnd): string {
  return code.replaceAll('https://uploads.example', link.url);
}

/**
 * Bundles recipes as an application does. The first one is the entry; the others are imported by it. Its exports are
 * members of `window.recipe`.
 */
export async function bundleRecipes(files: Readonly<Record<string, string>>): Promise<{ js: string; css: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'du-recipes-'));
  try {
    for (const [name, code] of Object.entries(files)) await writeFile(join(directory, name), code);
    const { outputFiles } = await build({
      entryPoints: [join(directory, Object.keys(files)[0] ?? '')],
      outdir: directory,
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'recipe',
      jsx: 'automatic',
      logLevel: 'error',
      // Strict mode of React mounts components twice only in development.
      define: { 'process.env.NODE_ENV': '"development"' },
      alias: {
        'deferred-uploads/client': resolve('src/client/upload-client.ts'),
        'deferred-uploads/react': resolve('src/integrations/react/react.ts'),
        'deferred-uploads/filepond': resolve('src/integrations/filepond/filepond.ts'),
        'deferred-uploads/uppy': resolve('src/integrations/uppy/uppy.ts'),
      },
      nodePaths: [resolve('node_modules')],
      tsconfigRaw: {},
    });
    const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
    return { js: textOf('.js'), css: textOf('.css') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Opens a page of the front end with the bundled recipes, and `body` as its content. */
export async function openBundle(
  parts: FrontEnd,
  name: string,
  files: Readonly<Record<string, string>>,
  body = '',
): Promise<{ page: Page; complaints: string[] }> {
  const here = Object.fromEntries(Object.entries(files).map(([path, code]) => [path, withService(code, parts)]));
  const { js, css } = await bundleRecipes(here);
  const { pages, browser } = parts;
  pages.serve(`/${name}.js`, 'text/javascript', js);
  pages.serve(`/${name}.css`, 'text/css', css);
  pages.serve(
    `/${name}`,
    'text/html',
    `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/${name}.css">` +
      `<body>${body}<script src="/${name}.js"></script>`,
  );
  return await browser.open(`${pages.origin}/${name}`);
}

/** Returns an expression that makes a file in the page. */
export function fileExpression({ name, mimeType, buffer }: ChosenFile): string {
  const bytes = `Uint8Array.from(atob('${buffer.toString('base64')}'), (char) => char.charCodeAt(0))`;
  return `new File([${bytes}], ${JSON.stringify(name)}, { type: '${mimeType}', lastModified: 1 })`;
}
