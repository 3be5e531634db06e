import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendResumptionSupported } from '../../../../src/roads/resumable/interim-response.ts';
import { uploadFields } from '../../../../src/roads/resumable/upload-fields.ts';

function asked(headers: Record<string, string>, httpVersion = '1.1'): IncomingMessage {
  return { headers, httpVersion } as unknown as IncomingMessage;
}

describe('the fields of a resumable upload', () => {
  test('are booleans and whole numbers, and any other value is ignored', () => {
    expect(uploadFields(asked({ 'upload-complete': '?1', 'upload-offset': '12', 'upload-length': '20' }))).toEqual({
      isComplete: true,
      offset: 12,
      totalBytes: 20,
    });
    for (const text of ['1', 'true', '?2', ''])
      expect(uploadFields(asked({ 'upload-complete': text })).isComplete).toBeUndefined();
    for (const text of ['-1', '1.5', '1e3', '0x10', '1234567890123456', '1, 2'])
      expect([text, uploadFields(asked({ 'upload-offset': text })).offset]).toEqual([text, undefined]);
  });

  test('contain the length that follows from a request that completes the upload', () => {
    const headers = { 'upload-complete': '?1', 'content-length': '8' };
    expect(uploadFields(asked({ ...headers, 'upload-offset': '12' })).totalBytes).toBe(20);
    expect(uploadFields(asked(headers), 0).totalBytes).toBe(8);
    expect(uploadFields(asked({ ...headers, 'upload-complete': '?0' }), 0).totalBytes).toBeUndefined();
  });

  test('are rejected if their lengths disagree (400)', () => {
    const headers = { 'upload-complete': '?1', 'content-length': '8', 'upload-length': '9' };
    expect(() => uploadFields(asked(headers), 0)).toThrow(/disagree/);
  });
});

describe('an interim response', () => {
  function written(headers: Record<string, string>, response: object = {}, httpVersion = '1.1'): string[] {
    const texts: string[] = [];
    const socket = { destroyed: false, write: (text: string) => texts.push(text) };
    const to = { socket, headersSent: false, ...response } as unknown as ServerResponse;
    sendResumptionSupported(asked(headers, httpVersion), to, { Location: '/resumable/1' });
    return texts;
  }
  const DRAFT = { 'upload-draft-interop-version': '8' };

  test('has the address and the version of the draft', () => {
    expect(written(DRAFT)).toEqual([
      'HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Draft-Interop-Version: 8\r\nLocation: /resumable/1\r\n\r\n',
    ]);
  });

  test('is not sent to other versions, to HTTP/1.0, after the headers, or before an earlier response ends', () => {
    expect([
      written({}),
      written({ 'upload-draft-interop-version': '7' }),
      written(DRAFT, {}, '1.0'),
      written(DRAFT, { headersSent: true }),
      written(DRAFT, { socket: null }),
    ]).toEqual([[], [], [], [], []]);
  });
});
