import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttp } from '../../../src/client/http.ts';
import { asUploadError } from '../../../src/client/upload-error.ts';

const SERVICE = 'https://uploads.example';

/** How the network answers requests that need CORS, and requests that do not. */
interface Network {
  cors: boolean;
  noCors: boolean;
}

let probes: string[];

beforeEach(() => {
  probes = [];
  Object.assign(globalThis, { location: { href: 'https://app.example/page', origin: 'https://app.example' } });
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'location');
});

function fetchOn(network: Network): typeof globalThis.fetch {
  return async (url, init) => {
    await Promise.resolve();
    if (init?.mode === 'no-cors') probes.push(url instanceof Request ? url.url : url.toString());
    if (init?.mode === 'no-cors' ? network.noCors : network.cors) return new Response('{}');
    throw new TypeError('Failed to fetch');
  };
}

function createRequest(network: Network, baseUrl = SERVICE): () => Promise<string> {
  const http = createHttp(baseUrl, fetchOn(network));
  return async () => {
    const request = http.request('/progress', (value): value is object => typeof value === 'object');
    return await request.then(
      () => 'ok',
      (error: unknown) => asUploadError(error).code,
    );
  };
}

describe('a request without an answer', () => {
  test('ends with cors_blocked if a request without CORS reaches the server', async () => {
    const request = createRequest({ cors: false, noCors: true });
    expect(await request()).toBe('cors_blocked');
    expect(probes).toEqual([`${SERVICE}/healthz`]);
  });

  test('ends with connection_lost if the server cannot be reached', async () => {
    expect(await createRequest({ cors: false, noCors: false })()).toBe('connection_lost');
  });

  test('shares one probe with other requests', async () => {
    const request = createRequest({ cors: false, noCors: true });
    expect(await Promise.all([request(), request(), request()])).toEqual(Array(3).fill('cors_blocked'));
    expect(probes).toHaveLength(1);
  });

  test('is not probed after the page has read an answer, because a proxy may answer without CORS', async () => {
    const network = { cors: true, noCors: true };
    const request = createRequest(network);
    expect(await request()).toBe('ok');
    network.cors = false;
    expect(await request()).toBe('connection_lost');
    expect(probes).toEqual([]);
  });

  test.each(['', '/media', 'https://app.example/media'])('is not probed at its own origin (%j)', async (baseUrl) => {
    expect(await createRequest({ cors: false, noCors: true }, baseUrl)()).toBe('connection_lost');
    expect(probes).toEqual([]);
  });

  test('is not probed outside pages', async () => {
    Reflect.deleteProperty(globalThis, 'location');
    expect(await createRequest({ cors: false, noCors: true })()).toBe('connection_lost');
    expect(probes).toEqual([]);
  });
});
