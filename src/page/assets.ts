import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { assetOf, compressedAsset, type Asset } from '../http/asset.ts';

/** The files of a page by their absolute URL path. */
export interface PageAssets {
  readonly files: ReadonlyMap<string, Asset>;
  /** The `Content-Security-Policy` header of the page. */
  readonly contentSecurityPolicy: string;
}

const OPERATORS_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  script: 'text/javascript; charset=utf-8',
  text: 'text/plain; charset=utf-8',
} as const;

/** The languages that the page loads on demand. */
const LANGUAGES = ['german', 'spanish', 'chinese'] as const;

/** The folder of the built files, see `scripts/setup/page-bundles.mjs`. */
const BUILT = new URL('./built/', import.meta.url);

/**
 * Reads the files of the page. Call it once at the start of the process. Rejects with a one-line message if the page is
 * not built.
 * @param built the folder of the built files; must end with a slash.
 */
export async function loadPageAssets(built: URL = BUILT): Promise<PageAssets> {
  const files = await Promise.all([
    asset(built, '/', 'index.html', TYPES.html),
    asset(built, '/style.css', 'style.css', TYPES.css),
    asset(built, '/page.js', 'page.js', TYPES.script),
    ...LANGUAGES.map((language) => asset(built, `/words-${language}.js`, `words-${language}.js`, TYPES.script)),
    asset(built, '/client.js', 'client.js', TYPES.script),
    asset(built, '/client.d.ts', 'client.d.ts', TYPES.text),
  ]);
  return { files: new Map(files), contentSecurityPolicy: CONTENT_SECURITY_POLICY };
}

/** Does the same as `loadPageAssets` for the operators' page. */
export async function loadOperatorsAssets(built: URL = BUILT): Promise<PageAssets> {
  const files = await Promise.all([
    asset(built, '/operators', 'operators.html', TYPES.html),
    asset(built, '/operators/style.css', 'operators.css', TYPES.css),
    asset(built, '/operators/page.js', 'operators.js', TYPES.script),
  ]);
  return { files: new Map(files), contentSecurityPolicy: OPERATORS_SECURITY_POLICY };
}

/** Matches links that only work at the management address, if there is one. */
const MANAGEMENT_LINKS = /<a href="(?:openapi\.json|metrics)"[^>]*>[^<]*<\/a>\n?/g;

/** Returns the page without links to metrics and API reference, which lead nowhere if another address serves them. */
export async function withoutManagementLinks(assets: PageAssets): Promise<PageAssets> {
  const files = [...assets.files].map(async ([path, file]): Promise<[path: string, asset: Asset]> => {
    const text = file.bodies.identity.toString();
    const changed = file.type === TYPES.html ? text.replace(MANAGEMENT_LINKS, '') : text;
    return [path, changed === text ? file : await compressedAsset(changed, file.type)];
  });
  return { ...assets, files: new Map(await Promise.all(files)) };
}

async function asset(built: URL, path: string, name: string, type: string): Promise<[path: string, asset: Asset]> {
  const [identity, br, gzip] = await Promise.all([
    read(built, name),
    read(built, `${name}.br`),
    read(built, `${name}.gz`),
  ]);
  return [path, assetOf({ br, gzip, identity }, type)];
}

async function read(built: URL, name: string): Promise<Buffer> {
  const path = fileURLToPath(new URL(name, built));
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`the page is not built: ${path} is missing, run npm run build`, { cause: error });
  }
}
