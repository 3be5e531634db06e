import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { build, stop, type BuildResult } from 'esbuild';

/** Content codings that a file comes in, the smallest first. */
export const ASSET_CODINGS = ['br', 'gzip', 'identity'] as const;

/** Names a content coding (RFC 9110 section 8.4.1). */
export type AssetCoding = (typeof ASSET_CODINGS)[number];

/** One file of the page, ready to be sent as it is. */
export interface PageAsset {
  readonly bodies: Readonly<Record<AssetCoding, Buffer>>;
  /** The whole `Content-Type`, charset included. */
  readonly type: string;
  /** Changes with the bytes and with nothing else; without the quotes, and to be told apart by coding (RFC 9110 section 8.8.3). */
  readonly tag: string;
}

/** Everything a browser fetches to show the page, by absolute path. */
export interface PageAssets {
  readonly files: ReadonlyMap<string, PageAsset>;
  /** Goes out with the page itself; without it the page works just as well, only less guarded. */
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

/** Deno reads it, and so does a person who wonders. */
const CLIENT_BANNER = '// @ts-self-types="./client.d.ts"';

const SCRIPT_TYPE = 'text/javascript; charset=utf-8';

const OPTIONS = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  write: false,
  logLevel: 'silent',
} as const;

/**
 * Bundles and reads the page; meant to be called once, while the process starts.
 * Rejects where a source does not compile or is missing. No child process is left behind.
 */
export async function loadPageAssets(): Promise<PageAssets> {
  try {
    const files = await Promise.all([
      asset('/', readFile(beside('index.html')), 'text/html; charset=utf-8'),
      asset('/style.css', minify('style.css'), 'text/css; charset=utf-8'),
      asset('/page.js', bundle('page'), SCRIPT_TYPE),
      asset('/client.js', bundle('../client/upload-client', CLIENT_BANNER), SCRIPT_TYPE),
      asset('/client.d.ts', readFile(beside('../client/client.d.ts')), 'text/plain; charset=utf-8'),
    ]);
    return { files: new Map(files), contentSecurityPolicy: CONTENT_SECURITY_POLICY };
  } finally {
    await stop();
  }
}

/** As `loadPageAssets`, for the operators' page; not to be called while that is under way. */
export async function loadOperatorsAssets(): Promise<PageAssets> {
  try {
    const files = await Promise.all([
      asset('/operators', readFile(beside('operators/operators.html')), 'text/html; charset=utf-8'),
      asset('/operators/style.css', minify('operators/operators.css'), 'text/css; charset=utf-8'),
      asset('/operators/page.js', bundle('operators/operators'), SCRIPT_TYPE),
    ]);
    return { files: new Map(files), contentSecurityPolicy: OPERATORS_SECURITY_POLICY };
  } finally {
    await stop();
  }
}

async function bundle(entry: string, banner = ''): Promise<Buffer> {
  // The same code runs from the sources and from dist, where tsc has already made them JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return await build({ ...OPTIONS, entryPoints: [beside(`${entry}.${extension}`)], banner: { js: banner } }).then(
    onlyOutput,
  );
}

async function minify(name: string): Promise<Buffer> {
  return await build({ ...OPTIONS, entryPoints: [beside(name)] }).then(onlyOutput);
}

function onlyOutput({ outputFiles }: BuildResult<typeof OPTIONS>): Buffer {
  const [output] = outputFiles;
  if (!output) throw new Error('esbuild has made nothing');
  return Buffer.from(output.contents);
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function asset(path: string, content: Promise<Buffer>, type: string): Promise<[path: string, asset: PageAsset]> {
  const body = await content;
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(body), promisify(gzip)(body, { level: 9 })]);
  const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return [path, { bodies: { br, gzip: gzipped, identity: body }, type, tag }];
}
