import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { CheckedChunks, uploadChecksum } from '../../../../src/roads/tus/upload-checksum.ts';

const BYTES = Buffer.from('some bytes');
const header = (algorithm: string) => `${algorithm} ${createHash(algorithm).update(BYTES).digest('base64')}`;

describe('Upload-Checksum', () => {
  test.each(['sha1', 'sha256'])('is read with the algorithm %s', (algorithm) => {
    expect(uploadChecksum(header(algorithm))).toEqual({
      algorithm,
      digest: createHash(algorithm).update(BYTES).digest(),
    });
  });

  test('is not needed', () => {
    expect(uploadChecksum(undefined)).toBeUndefined();
  });

  test.each(['', 'sha1', 'sha1 AAAA', 'md5 AAAA', header('sha512'), `${header('sha1')} more`, 'constructor AAAA'])(
    'is refused if it is malformed or its algorithm is unknown: %s',
    (value) => {
      expect(() => uploadChecksum(value)).toThrow(expect.objectContaining({ code: 'bad_digest' }));
    },
  );
});

describe('the chunks of a body with a checksum', () => {
  const checked = () => new CheckedChunks(uploadChecksum(header('sha1')) ?? { algorithm: 'sha1', digest: BYTES });
  const failing = async () => {
    await Promise.resolve();
    throw new Error('not a picture');
  };

  test('are passed on', async () => {
    const chunks = checked();
    const passed: Buffer[] = [];
    for (const chunk of [BYTES.subarray(0, 3), BYTES.subarray(3)])
      await chunks.pass(chunk, async (one) => void passed.push(await Promise.resolve(one)));
    chunks.requireRight();
    expect(Buffer.concat(passed)).toEqual(BYTES);
  });

  test('with other bytes are rejected as a mismatch (460), even if the file was found faulty before', async () => {
    const chunks = checked();
    await chunks.pass(Buffer.from('other bytes'), failing);
    expect(() => chunks.requireRight()).toThrow(expect.objectContaining({ code: 'digest_mismatch', status: 460 }));
  });

  test('with the right bytes throw the fault of the file at the end', async () => {
    const chunks = checked();
    await chunks.pass(BYTES, failing);
    expect(() => chunks.requireRight()).toThrow('not a picture');
  });
});
