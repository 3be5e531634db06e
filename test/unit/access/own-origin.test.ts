import { describe, expect, test } from '@jest/globals';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ANY_ORIGIN, isForeignChange } from '../../../src/access/own-origin.ts';

const LISTED = 'https://app.example';

function isForeign(
  headers: IncomingHttpHeaders,
  { method = 'POST', origins = [LISTED], remoteAddress = '192.0.2.1' }: Partial<Asked> = {},
): boolean {
  const request = { method, headers: { host: 'du.example:3000', ...headers }, socket: { remoteAddress } };
  const isTrustedProxy = (address: string) => address === '10.0.0.1';
  return isForeignChange(request as unknown as IncomingMessage, { origins, isTrustedProxy });
}

interface Asked {
  method: string;
  origins: readonly string[];
  remoteAddress: string;
}

describe('a request that changes something', () => {
  test.each<[what: string, headers: IncomingHttpHeaders]>([
    ['of a client that is no browser', {}],
    ['of a page of the same host', { origin: 'http://du.example:3000' }],
    ['of a page of the same host in capitals', { origin: 'http://du.example:3000', host: 'DU.example:3000' }],
    ['of a page at the default port', { origin: 'https://du.example', host: 'du.example:443' }],
    ['of a listed page', { origin: LISTED, 'sec-fetch-site': 'cross-site' }],
    ['that the browser calls same-origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['that a person started', { 'sec-fetch-site': 'none' }],
  ])('passes if it is one %s', (_what, headers) => {
    expect(isForeign(headers)).toBe(false);
  });

  test.each<[what: string, headers: IncomingHttpHeaders]>([
    ['of a page of another host', { origin: 'http://evil.test' }],
    ['of a page of another port', { origin: 'http://du.example:3001' }],
    ['of a page at the default port of another scheme', { origin: 'https://du.example:80', host: 'du.example' }],
    ['of a sandboxed page', { origin: 'null' }],
    ['of a page that sends no origin', { 'sec-fetch-site': 'cross-site' }],
    ['of a page that a person went to', { origin: 'http://evil.test', 'sec-fetch-site': 'none' }],
    ['of a page of the same site', { origin: 'https://other.example', 'sec-fetch-site': 'same-site' }],
    ['with a host that a stranger forwards', { origin: 'http://evil.test', 'x-forwarded-host': 'evil.test' }],
    ['with an origin that is none', { origin: 'du.example:3000' }],
  ])('is foreign if it is one %s', (_what, headers) => {
    expect(isForeign(headers)).toBe(true);
  });

  test('passes for every page if all origins are listed', () => {
    expect(isForeign({ origin: 'http://evil.test' }, { origins: [ANY_ORIGIN] })).toBe(false);
  });

  test.each<[IncomingHttpHeaders]>([
    [{ 'x-forwarded-host': 'uploads.example' }],
    [{ forwarded: 'for=192.0.2.1;host="uploads.example"' }],
  ])('counts the host that a trusted proxy was asked for as its own: %j', (forwarded) => {
    const headers = { origin: 'https://uploads.example', host: '127.0.0.1:3000', ...forwarded };
    expect(isForeign(headers, { remoteAddress: '10.0.0.1' })).toBe(false);
    expect(isForeign(headers, { remoteAddress: '10.0.0.2' })).toBe(true);
  });
});

test.each(['GET', 'HEAD', 'OPTIONS'])('a %s changes nothing, so any page may send it', (method) => {
  expect(isForeign({ origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' }, { method })).toBe(false);
});
