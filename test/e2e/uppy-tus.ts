import { beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { Upload } from '../../src/wire/documents.ts';
import { Link } from '../../scripts/chaos/fleet/link.ts';
import type { Browser } from '../helpers/browser.ts';
import type { Service } from '../helpers/service.ts';
import { resultOf, sha256 } from '../helpers/tus-service.ts';
import { awaitTrue } from './await-true.ts';
import { sharedFrontEnd } from './front-end.ts';

/** The script of a page that uses Uppy. It gets the file as base64, and returns the address of the upload. */
const PAGE_SCRIPT = `
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';

window.sendWithUppy = async (name, base64, chunkSize) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const uppy = new Uppy({ allowMultipleUploads: false }).use(Tus, { endpoint: '/files', chunkSize, retryDelays: [100, 200, 400, 800] });
  uppy.on('upload-progress', (_file, { bytesUploaded }) => (window.bytesUploaded = bytesUploaded));
  uppy.addFile({ name, type: 'image/jpeg', data: new Blob([bytes], { type: 'image/jpeg' }) });
  const { successful, failed } = await uppy.upload();
  return { url: successful[0]?.uploadURL ?? '', error: failed[0]?.error ?? '' };
};
`;

let service: Service;
let browser: Browser;
let script: string;
let bytes: Buffer;

beforeAll(async () => {
  const bundle = await build({
    stdin: { contents: PAGE_SCRIPT, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: 'iife',
    logLevel: 'error',
  });
  script = bundle.outputFiles[0]?.text ?? '';
  ({ bytes, service, browser } = await sharedFrontEnd());
});

/**
 * Errors of the console that a cut causes: the cut itself, and the conflict while the other process still stores its
 * bytes. The client then asks again.
 */
const EXPECTED = /net::ERR|status of 409 /;

/** Sends the file from a page at the address. `meanwhile` is called when a part of it was sent. */
async function sendWithUppy(url: string, chunkSize: number, meanwhile: () => void = () => undefined): Promise<Upload> {
  const { page, complaints } = await browser.open(url);
  await page.evaluate(script);
  const call = `sendWithUppy('harbour ü.jpg', '${bytes.toString('base64')}', ${chunkSize})`;
  const sent = page.evaluate(call) as Promise<{ url: string; error: string }>;
  await awaitTrue(page, () => Number((window as { bytesUploaded?: number }).bytesUploaded) > 0);
  meanwhile();
  const { url: address, error } = await sent;
  await page.close();
  expect([error, complaints.filter((complaint) => !EXPECTED.test(complaint))]).toEqual(['', []]);
  return await resultOf(service.url, /[0-9a-f-]{36}$/.exec(address)?.[0] ?? '');
}

test('Uppy sends a file in chunks', async () => {
  const upload = await sendWithUppy(service.url, 100_000);
  expect(upload).toMatchObject({
    state: 'completed',
    file: { name: 'harbour ü.jpg', size: bytes.length, sha256: sha256(bytes) },
  });
});

test('Uppy continues at another process if its connection is cut', async () => {
  const link = await Link.open(service.urls[0] ?? '');
  const upload = await sendWithUppy(link.url, 30_000, () => {
    link.cut();
    link.retarget(service.urls[1] ?? '');
    link.repair();
  });
  expect(upload).toMatchObject({ state: 'completed', file: { size: bytes.length, sha256: sha256(bytes) } });
  await link.close();
});
