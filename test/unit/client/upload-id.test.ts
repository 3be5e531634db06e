import { expect, test } from '@jest/globals';
import { uploadId } from '../../../src/client/upload-id.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('an id is a new UUID of version 4', () => {
  expect(uploadId()).toMatch(VERSION_4);
  expect(uploadId()).not.toBe(uploadId());
});

test('an id is made of random bytes if crypto.randomUUID is missing', () => {
  const getRandomValues = (bytes: Uint8Array): Uint8Array => bytes.fill(0xff);
  expect(uploadId({ getRandomValues })).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  expect(uploadId({ getRandomValues: (bytes) => bytes.fill(0) })).toBe('00000000-0000-4000-8000-000000000000');
});
