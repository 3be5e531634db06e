import { expect, test } from '@jest/globals';
import { resolveLink } from '../../../src/client/resolve-link.ts';

const LINK = '/variants/abc/640';

test.each([
  ['', LINK, LINK],
  ['https://uploads.example', LINK, 'https://uploads.example/variants/abc/640'],
  ['https://uploads.example/', LINK, 'https://uploads.example/variants/abc/640'],
  ['http://[::1]:3000', LINK, 'http://[::1]:3000/variants/abc/640'],
  // The service has MOUNT_PATH=/media.
  ['https://app.example/media', '/media/variants/abc/640', 'https://app.example/media/variants/abc/640'],
  ['/media', '/media/variants/abc/640', '/media/variants/abc/640'],
  // A proxy removes /media.
  ['https://app.example/media', LINK, 'https://app.example/media/variants/abc/640'],
  ['/media/', LINK, '/media/variants/abc/640'],
  ['https://app.example/media', '/mediators/1', 'https://app.example/media/mediators/1'],
  ['https://uploads.example', 'https://bucket.example/part?n=1', 'https://bucket.example/part?n=1'],
])('with the base %j, the link %j has the address %j', (baseUrl, link, address) => {
  expect(resolveLink(baseUrl, link)).toBe(address);
});
