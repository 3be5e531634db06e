import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { sha256Of } from '../../../src/storage/sha256.ts';

test('returns the digest of all bytes of a stream', async () => {
  expect(await sha256Of(Readable.from([Buffer.from('one'), Buffer.from('two')]))).toBe(
    createHash('sha256').update('onetwo').digest('hex'),
  );
  expect(await sha256Of(Readable.from([]))).toBe(createHash('sha256').digest('hex'));
});

test('rejects if the stream fails, and closes it', async () => {
  const stream = new Readable({ read: () => undefined });
  const digest = sha256Of(stream);
  stream.destroy(new Error('the disk'));
  await expect(digest).rejects.toThrow('the disk');
  expect(stream.closed).toBe(true);
});
