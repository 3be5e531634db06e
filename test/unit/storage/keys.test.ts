import { describe, expect, test } from '@jest/globals';
import {
  attemptPrefix,
  derivedKey,
  manifestKey,
  originalKey,
  parseKey,
  partKey,
  unfinishedKey,
  uploadPrefix,
  variantKey,
} from '../../../src/storage/keys.ts';

const ID = '0a1b2c3d-0000-4000-8000-000000000000';

describe('the keys of an upload', () => {
  const keys = [originalKey(ID, 'r1'), manifestKey(ID, 'r1'), variantKey(ID, 2, '160', 'jpeg')];

  test('begin with its prefix, which contains its id', () => {
    expect(uploadPrefix(ID)).toBe(`0a/${ID}`);
    for (const key of keys) expect(key.startsWith(`${uploadPrefix(ID)}/`)).toBe(true);
  });

  test('contain only characters that every driver accepts', () => {
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9._/-]+$/);
  });

  test('differ between fencing tokens and between attempts', () => {
    expect(originalKey(ID, 'r1')).not.toBe(originalKey(ID, 'r2'));
    expect(manifestKey(ID, 'r1')).not.toBe(manifestKey(ID, 'r2'));
    expect(variantKey(ID, 1, '160', 'jpeg')).not.toBe(variantKey(ID, 2, '160', 'jpeg'));
  });

  test('of one attempt begin with the prefix of this attempt only', () => {
    expect(variantKey(ID, 1, '160', 'jpeg').startsWith(`${attemptPrefix(ID, 1)}/`)).toBe(true);
    expect(variantKey(ID, 12, '160', 'jpeg').startsWith(`${attemptPrefix(ID, 1)}/`)).toBe(false);
  });
});

describe('parseKey', () => {
  const FENCING_TOKEN = 'ffffffff-0000-4000-9000-000000000000';
  const NONCE = '0123456789ab';

  test('recognizes every key that the service makes', () => {
    expect([
      parseKey(originalKey(ID, FENCING_TOKEN)),
      parseKey(manifestKey(ID, FENCING_TOKEN)),
      parseKey(partKey(ID, 42, NONCE)),
      parseKey(variantKey(ID, 2, '160', 'jpeg')),
      parseKey(derivedKey(ID, 2, 'rows.jsonl')),
    ]).toEqual([
      { id: ID, kind: 'original', fencingToken: FENCING_TOKEN },
      { id: ID, kind: 'manifest', fencingToken: FENCING_TOKEN },
      { id: ID, kind: 'part', offset: 42 },
      { id: ID, kind: 'variant' },
      { id: ID, kind: 'variant' },
    ]);
  });

  test('recognizes an unfinished file by the nonce of its writer', () => {
    for (const key of [originalKey(ID, FENCING_TOKEN), variantKey(ID, 1, '160', 'jpeg'), partKey(ID, 0, NONCE)]) {
      expect(unfinishedKey(`${key}.${NONCE}.part`)).toBe(key);
      expect(unfinishedKey(`${key}.${NONCE}.part.beside.part`)).toBe(key);
      expect(parseKey(`${key}.${NONCE}.part`)).toBeUndefined();
      for (const other of [`${key}.part`, `${key}.${NONCE}`, `${key}.0123.part`, `${key}.${NONCE}.part.part`])
        expect([other, unfinishedKey(other)]).toEqual([other, undefined]);
    }
  });

  test.each([
    'letter.odt',
    'al/alice/letter.odt',
    'en/en/strings.json',
    'ab/abcdef0123/data',
    `0a/${ID}`,
    `0a/${ID}/Thumbs.db`,
    `0a/${ID}/notes.original`,
    `0a/${ID}/attempt-1`,
    `0a/${ID}/attempt-1/deep/er.jpeg`,
    `0a/${ID}/attempt-x/160.jpeg`,
    `0a/${ID}/attempt-1/README`,
    `0a/${ID}/attempt-1/.hidden.jpeg`,
    `0a/${ID}/parts/1-${NONCE}`,
    `0a/${ID}/parts/0000000000000000-x`,
    `0b/${ID}/${FENCING_TOKEN}.original`,
    `0A/${ID.toUpperCase()}/${FENCING_TOKEN}.original`,
    `0a/${ID}/${FENCING_TOKEN}.original/x`,
    `x/0a/${ID}/${FENCING_TOKEN}.original`,
    `0a/${ID}/${FENCING_TOKEN}.original.bak`,
    'Downloads/film.mkv.part',
    `Downloads/film.mkv.${NONCE}.part`,
  ])('does not recognize %s', (path) => {
    expect([parseKey(path), unfinishedKey(path)]).toEqual([undefined, undefined]);
  });

  test('recognizes every derived file, because other names are rejected', () => {
    for (const name of ['README', '.hidden', '../x.jpeg', 'a b.jpeg', `x.${NONCE}.part`])
      expect(() => derivedKey(ID, 1, name)).toThrow('not the name of a derived file');
  });
});
