import { expect, test } from '@jest/globals';
import { uploadId } from '../../../src/client/upload-id.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('is a fresh UUID of version 4', () => {
  expect(uploadId()).toMatch(VERSION_4);
  expect(uploadId()).not.toBe(uploadId());
});

test('is made of random bytes where the page came over plain HTTP', () => {
  const getRandomValues = (bytes: Uint8Array): Uint8Array => bytes.fill(0xff);
  expect(uploadId({ getRandomValues })).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  expect(uploadId({ getRandomValues: (bytes) => bytes.fill(0) })).toBe('00000000-0000-4000-8000-000000000000');
});
