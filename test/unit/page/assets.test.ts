import { pathToFileURL } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from '@jest/globals';
import { compiled } from '../../helpers/compiled.ts';
import {
  loadOperatorsAssets,
  loadPageAssets,
  withoutManagementLinks,
  type PageAssets,
} from '../../../src/page/assets.ts';

const LANGUAGE_PATHS = ['/words-german.js', '/words-spanish.js', '/words-chinese.js'];
const PATHS = ['/', '/style.css', '/page.js', '/client.js', '/client.d.ts', ...LANGUAGE_PATHS];
/** The files that a browser fetches to show the page. */
const PAGE_PATHS = PATHS.slice(0, 3);
const MOST_COMPRESSED_BYTES = 40_000;

const BUILT = pathToFileURL(`${compiled('src/page/built')}/`);

let assets: PageAssets;

beforeAll(async () => {
  assets = await loadPageAssets(BUILT);
});

function textOf(path: string): string {
  return assets.files.get(path)?.bodies.identity.toString('utf8') ?? '';
}

test('every file that the page requests exists and has its media type', () => {
  expect(Object.fromEntries([...assets.files].map(([path, { type }]) => [path, type.split(';')[0]]))).toEqual({
    '/': 'text/html',
    '/style.css': 'text/css',
    '/page.js': 'text/javascript',
    '/client.js': 'text/javascript',
    '/client.d.ts': 'text/plain',
    ...Object.fromEntries(LANGUAGE_PATHS.map((path) => [path, 'text/javascript'])),
  });
  const asked = [...textOf('/').matchAll(/(?:src|<link rel="stylesheet" href)="([^"]*)"/g)].map((match) => match[1]);
  expect(new Set(asked)).toEqual(new Set(['page.js', 'style.css']));
  for (const path of LANGUAGE_PATHS) expect(textOf('/page.js')).toContain(`import(".${path}")`);
});

test('every content encoding decodes to the same file', () => {
  for (const { bodies } of assets.files.values()) {
    expect(brotliDecompressSync(bodies.br).equals(bodies.identity)).toBe(true);
    expect(gunzipSync(bodies.gzip).equals(bodies.identity)).toBe(true);
  }
});

test('an entity tag changes only with the bytes', async () => {
  const again = await loadPageAssets(BUILT);
  const tags = PATHS.map((path) => assets.files.get(path)?.tag);
  for (const tag of tags) expect(tag).toMatch(/^[\w-]{22}$/);
  expect(new Set(tags).size).toBe(PATHS.length);
  expect(PATHS.map((path) => again.files.get(path)?.tag)).toEqual(tags);
});

test('the page loads nothing from other origins and nothing that its security policy forbids', () => {
  for (const path of [...PAGE_PATHS, '/client.js', ...LANGUAGE_PATHS]) {
    // Names of XML namespaces look like addresses, and are never fetched.
    const text = textOf(path).replaceAll('http://www.w3.org/2000/svg', '');
    expect([path, text.match(/https?:\/\/|["'(]\/\/\w/g)]).toEqual([path, null]);
  }
  expect(textOf('/')).not.toMatch(/<style| style=| on\w+=/);
  expect(assets.contentSecurityPolicy).toContain("default-src 'none'; script-src 'self';");
  expect(assets.contentSecurityPolicy).not.toContain('unsafe');
});

test('the page stays below its size limit', () => {
  const sizes = PAGE_PATHS.map((path) => assets.files.get(path)?.bodies.gzip.length ?? Infinity);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_COMPRESSED_BYTES);
});

test('the client does not use the DOM', () => {
  expect(textOf('/client.js')).not.toMatch(/\b(document|window|localStorage|sessionStorage)\b/);
  expect(textOf('/client.js')).toMatch(/export\{[^}]*createUploadClient/);
  expect(textOf('/client.js')).toMatch(/^\/\/ @ts-self-types="\.\/client\.d\.ts"\n/);
});

test('the pages have no links to metrics and API reference if another address serves them', async () => {
  const operators = await loadOperatorsAssets(BUILT);
  const changed = [await withoutManagementLinks(assets), await withoutManagementLinks(operators)];
  const [page = '', live = ''] = ['/', '/operators'].map((path, index) => {
    const { bodies } = changed[index]?.files.get(path) ?? {};
    expect(bodies && gunzipSync(bodies.gzip).equals(bodies.identity)).toBe(true);
    return bodies?.identity.toString() ?? '';
  });
  expect(textOf('/')).toContain('href="openapi.json"');
  expect(page).not.toContain('openapi.json');
  expect(page).toContain('href="client.js"');
  expect(live).not.toContain('href="metrics"');
  expect(live).toContain('</nav>');
  expect(changed[0]?.files.get('/page.js')).toBe(assets.files.get('/page.js'));
});

test('a missing build is reported with the command that builds the page', async () => {
  await expect(loadPageAssets(new URL('./nowhere/', BUILT))).rejects.toThrow(
    /^the page is not built: .+ is missing, run npm run build$/,
  );
});
