import { describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { convertErrors } from '../../../src/storage/convert-errors.ts';
import { asServiceError } from '../../../src/storage/file-errors.ts';

function failing(code: string): Readable {
  const error = Object.assign(new Error('of the disk'), { code });
  let reads = 0;
  return new Readable({
    read() {
      if ((reads += 1) === 1) this.push('first');
      else this.destroy(error);
    },
  });
}

async function readAll(stream: Readable): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk.toString());
  return chunks;
}

describe('a stream with converted errors', () => {
  test('fails with storage_unavailable (503) if the disk fails in the middle of a file', async () => {
    await expect(readAll(convertErrors(failing('EIO'), asServiceError))).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });

  test('keeps an error that is not of the storage', async () => {
    await expect(readAll(convertErrors(failing('ENOENT'), asServiceError))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('ends normally without an error', async () => {
    expect(await readAll(convertErrors(Readable.from([Buffer.from('all')]), asServiceError))).toEqual(['all']);
  });
});
