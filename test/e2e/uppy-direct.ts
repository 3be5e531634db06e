import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../helpers/eventually.ts';
import { startS3Server, S3_CREDENTIALS, type Fault, type S3Server } from '../helpers/s3-server.ts';
import { startService, type Service } from '../helpers/service.ts';
import { fileExpression, type FrontEnd, openBundle, sharedFrontEnd } from './front-end.ts';
import { recipe } from './recipes.ts';

let parts: FrontEnd;
let s3: S3Server;
let service: Service;
/** An expression that makes a picture in two parts in the page. */
let file: string;
let page: Page;
/** Ends the wait of a request to the bucket. */
let release: () => void;

/** Answers pages as a bucket with the CORS rules of the docs. */
function withCors(fault: Fault): Fault {
  return async (asked) => {
    const { request, response } = asked;
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'ETag');
    if (request.method !== 'OPTIONS') return await fault(asked);
    const allowed = { 'Access-Control-Allow-Methods': 'PUT', 'Access-Control-Allow-Headers': '*' };
    response.writeHead(204, allowed).end();
  };
}

const sentParts = () => s3.operations.filter((operation) => operation === 'UploadPart').length;

/** Starts the upload. The outcome is in `window.outcome` when it has ended. */
async function start(): Promise<void> {
  // Without the last value, `evaluate` would wait for the outcome.
  await page.evaluate(`window.outcome = recipe.uppy.upload().then(({ successful, failed }) => [
    successful.map(({ response }) => response.body.result.kind), failed.map(({ error }) => error),
  ]); undefined`);
}

describe("Uppy's plugin AwsS3 in Chromium", () => {
  beforeAll(async () => {
    [parts, s3] = await Promise.all([sharedFrontEnd(), startS3Server()]);
    service = await startService({
      redis: parts.service.redis,
      env: {
        ...S3_CREDENTIALS,
        QUEUE_PREFIX: 'direct',
        CORS_ORIGINS: parts.pages.origin,
        S3_ENDPOINT: s3.url,
        STORAGE: `s3://${s3.bucket}`,
      },
    });
    const picture = fileExpression({ name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: parts.bytes });
    file = `new File([${picture}, new Uint8Array(${9 * 2 ** 20})], 'harbour.jpg', { type: 'image/jpeg' })`;
  });

  // The service uses the Redis of the shared one, so it ends first.
  afterAll(async () => {
    await service.stop();
    await s3.close();
  });

  beforeEach(async () => {
    s3.fault = withCors((asked) => asked.proceed());
    s3.operations.length = 0;
    const code = recipe('direct.js', 'docs/direct.md').replaceAll('https://uploads.example', service.url);
    ({ page } = await openBundle(parts, 'uppy-direct', { 'direct.js': code }));
    await page.evaluate(`{
      const data = ${file};
      recipe.uppy.addFile({ name: data.name, type: data.type, data });
    }`);
  });

  test('puts the parts of a file into the bucket, and shows its result', async () => {
    await start();
    expect(await page.evaluate('outcome')).toEqual([['picture'], []]);
    expect([sentParts(), s3.operations.filter((operation) => operation === 'CompleteMultipartUpload').length]).toEqual([
      2, 1,
    ]);
    expect(s3.memory.uploads.size).toBe(0);
  });

  test('continues after a pause with the part that the bucket does not have', async () => {
    holdFirst(2);
    await start();
    await eventually('the second part', () => sentParts() === 2);
    await page.evaluate('recipe.uppy.pauseAll()');
    await page.evaluate('recipe.uppy.resumeAll()');
    expect(await page.evaluate('outcome')).toEqual([['picture'], []]);
    expect(sentParts()).toBe(3);
  });

  test('continues after a pause while the bucket joins the parts', async () => {
    const released = new Promise<void>((resolve) => (release = resolve));
    s3.fault = withCors(async ({ operation, proceed }) => {
      if (operation === 'CompleteMultipartUpload') await released;
      await proceed();
    });
    await start();
    await eventually('the end of the parts', () => s3.operations.includes('CompleteMultipartUpload'));
    await page.evaluate('recipe.uppy.pauseAll()');
    release();
    await eventually('the object', () => s3.memory.uploads.size === 0);
    await page.evaluate('recipe.uppy.resumeAll()');
    expect(await page.evaluate('outcome')).toEqual([['picture'], []]);
    expect(sentParts()).toBe(2);
  });

  test('deletes the upload if its file is removed', async () => {
    holdFirst(1);
    await start();
    await eventually('the first part', () => sentParts() === 1);
    expect(s3.memory.uploads.size).toBe(1);
    await page.evaluate('recipe.uppy.cancelAll()');
    await eventually('the multipart upload is gone', () => s3.memory.uploads.size === 0);
  });
});

/** Leaves one request for a part without an answer. */
function holdFirst(number: number): void {
  s3.fault = withCors(async ({ operation, count, proceed }) => {
    if (operation !== 'UploadPart' || count !== number) await proceed();
  });
}
