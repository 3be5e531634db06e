import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { sentDigests } from '../../../src/http/digest-fields.ts';

const digest = (algorithm: string) => createHash(algorithm).update('some bytes').digest();
const field = (name: string, algorithm: string) => `${name}=:${digest(algorithm).toString('base64')}:`;
const SHA256 = field('sha-256', 'sha256');
const SHA512 = field('sha-512', 'sha512');

describe('digest fields', () => {
  test.each([
    ['no field', {}, []],
    ['one digest', { 'repr-digest': SHA256 }, ['sha256']],
    ['the other field', { 'content-digest': SHA512 }, ['sha512']],
    ['both fields', { 'repr-digest': SHA256, 'content-digest': SHA512 }, ['sha256', 'sha512']],
    ['several digests with a parameter', { 'repr-digest': `${SHA256};a=1 , ${SHA512}` }, ['sha256', 'sha512']],
    ['unknown algorithms', { 'repr-digest': `md5=:AAAA:, unixsum=:AA:, ${SHA256}` }, ['sha256']],
    ['a field that is no dictionary', { 'repr-digest': '"quoted", ;;, =' }, []],
  ])('are read: %s', (_name, headers, algorithms) => {
    const sent = sentDigests(headers);
    expect(sent.map(({ algorithm }) => algorithm)).toEqual(algorithms);
    for (const { algorithm, digest: bytes } of sent) expect(bytes).toEqual(digest(algorithm));
  });

  test.each(['sha-256', 'sha-256=abc', 'sha-256=:AAAA:', 'sha-512=:%%%:', `${SHA256}, sha-512=:`, 'SHA-256=:AAAA:'])(
    'are refused if a known digest is malformed: %s',
    (value) => {
      expect(() => sentDigests({ 'content-digest': value })).toThrow(expect.objectContaining({ code: 'bad_digest' }));
    },
  );
});
