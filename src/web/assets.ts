import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

/** One file of the page, ready to be sent as it is. */
export interface PageAsset {
  readonly body: Buffer;
  /** The whole `Content-Type`, charset included. */
  readonly type: string;
  /** Strong, with its quotes (RFC 9110 section 8.8.3): it changes with the bytes and with nothing else. */
  readonly etag: string;
}

/** Everything a browser fetches to show the page, by absolute path. */
export interface PageAssets {
  readonly files: ReadonlyMap<string, PageAsset>;
  /** Goes out with `/`; without it the page works just as well, only less guarded. */
  readonly contentSecurityPolicy: string;
}

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

const SCRIPT_TYPE = 'text/javascript; charset=utf-8';

/**
 * Bundles and reads the page; meant to be called once, while the process starts.
 * Rejects where a source does not compile or is missing. No child process is left behind.
 */
export async function loadPageAssets(): Promise<PageAssets> {
  try {
    const [html, style, page, client] = await Promise.all([
      readFile(beside('index.html')),
      readFile(beside('style.css')),
      bundle('page'),
      bundle('upload-client'),
    ]);
    const files = new Map<string, PageAsset>([
      ['/', asset(html, 'text/html; charset=utf-8')],
      ['/style.css', asset(style, 'text/css; charset=utf-8')],
      ['/page.js', asset(page, SCRIPT_TYPE)],
      ['/client.js', asset(client, SCRIPT_TYPE)],
    ]);
    return { files, contentSecurityPolicy: CONTENT_SECURITY_POLICY };
  } finally {
    await stop();
  }
}

async function bundle(entry: string): Promise<Buffer> {
  // The same code runs from the sources and from dist, where tsc has already made them JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const { outputFiles } = await build({
    entryPoints: [beside(`${entry}.${extension}`)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`esbuild made nothing of ${entry}`);
  return Buffer.from(output.contents);
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function asset(body: Buffer, type: string): PageAsset {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { body, type, etag: `"${digest}"` };
}
