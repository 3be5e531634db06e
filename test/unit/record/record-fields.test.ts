import { describe, expect, test } from '@jest/globals';
import { decodeProgress, decodeRecord, isExpired, pairFields } from '../../../src/record/record-fields.ts';
import { toUpload } from '../../../src/record/upload-document.ts';
import { ID, recordOf } from './states.ts';

const LEAST = { state: 'receiving', version: '1', percent: '0', updatedAt: '5', phaseStartedAt: '5' };

describe('the fields of a record', () => {
  test('are read from a flat reply', () => {
    expect(pairFields(['a', '1', 'b', ''])).toEqual({ a: '1', b: '' });
    expect(pairFields([])).toEqual({});
  });

  test('are null, 0 or empty if they are missing', () => {
    expect(decodeRecord(ID, LEAST)).toMatchObject({
      id: ID,
      receivedBytes: 0,
      totalBytes: null,
      attempt: 0,
      attemptBase: 0,
      phaseStartPercent: 0,
      stored: false,
      deleted: false,
      fileName: '',
      type: null,
      sha256: null,
      announcedSha256: null,
      road: null,
      fetches: 0,
      options: {},
      result: null,
      error: null,
      variants: {},
      expiresAtMs: null,
    });
  });

  test('have an unknown total if it is empty, and a known one if it is 0', () => {
    expect([
      decodeProgress(ID, { ...LEAST, total: '' }).totalBytes,
      decodeProgress(ID, { ...LEAST, total: '0' }).totalBytes,
    ]).toEqual([null, 0]);
  });

  test.each(['', 'finished'])('throw if the state is unknown (%j)', (state) => {
    expect(() => decodeRecord(ID, { ...LEAST, state })).toThrow('without a state');
  });

  test('have an event time only in events', () => {
    expect(decodeProgress(ID, { ...LEAST, at: '12.5' }).eventAtMs).toBe(12.5);
    expect('eventAtMs' in decodeProgress(ID, LEAST)).toBe(false);
  });
});

test('a record is expired from the end of its retention time, and never before it is final', () => {
  expect([
    isExpired({ expiresAtMs: 10 }, 9),
    isExpired({ expiresAtMs: 10 }, 10),
    isExpired({ expiresAtMs: null }, 10),
  ]).toEqual([false, true, false]);
});

describe('the document of an upload', () => {
  test('has a name for the file of a deleted upload, whose own name is gone', () => {
    const deleted = recordOf({ deleted: true, state: 'cancelled', fileName: '' });
    expect(toUpload({ record: deleted, queuePosition: null, nowMs: 6000 }).file.name).toBe('file');
  });

  test('holds what the contract names', () => {
    const upload = toUpload({ record: recordOf(), queuePosition: null, nowMs: 6000 });
    expect(Object.keys(upload)).toEqual(
      expect.arrayContaining([
        'id',
        'state',
        'version',
        'file',
        'progress',
        'result',
        'error',
        'createdAt',
        'updatedAt',
        'expiresAt',
        'publicId',
        'links',
      ]),
    );
    expect(upload).toMatchObject({
      file: { name: 'a.jpg', type: 'image/jpeg', size: 1000, sha256: 'a'.repeat(64) },
      createdAt: '1970-01-01T00:00:00.500Z',
      updatedAt: '1970-01-01T00:00:05.000Z',
      expiresAt: null,
    });
  });

  test('has expiresAt once it is final', () => {
    const at = (state: 'processing' | 'failed') =>
      toUpload({ record: recordOf({ state, expiresAtMs: 7000 }), queuePosition: null, nowMs: 6000 }).expiresAt;
    expect([at('processing'), at('failed')]).toEqual([null, '1970-01-01T00:00:07.000Z']);
  });
});
