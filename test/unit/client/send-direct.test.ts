import { describe, expect, test } from '@jest/globals';
import { createAbortableDelays } from '../../../src/client/abortable-delays.ts';
import type { Http, HttpInit } from '../../../src/client/http.ts';
import { sendDirect, type DirectOptions } from '../../../src/client/send-direct.ts';
import { createTickets } from '../../../src/client/tickets.ts';
import { DEFAULT_TUNING } from '../../../src/client/tuning.ts';
import { UploadError } from '../../../src/client/upload-error.ts';
import type { Upload } from '../../../src/wire/documents.ts';
import { freshProgress, freshUpload } from './documents.ts';

const ID = '0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10';
const QUEUED: Upload = { ...freshUpload(ID), state: 'queued', progress: freshProgress(ID, { state: 'queued' }) };
const RECEIVING = freshUpload(ID);

const addressOf = (number: number) => ({ number, url: `https://bucket.example/${number}`, headers: {}, expiresAt: '' });

function problem(code: string, status: number): UploadError {
  return new UploadError({ type: 'about:blank', title: code, status, detail: code, code });
}

/** Sends five parts of two bytes to a fake service. `answers` are by method and path. */
async function send(answers: Record<string, unknown>, more: Partial<DirectOptions> = {}) {
  const requests: string[] = [];
  const http: Http = {
    async request<T>(path: string, isExpected: (value: unknown) => value is T, { method = 'GET' }: HttpInit = {}) {
      const name = `${method} ${path}`;
      requests.push(name);
      const answer = answers[name];
      if (answer instanceof Error) throw answer;
      if (!isExpected(answer)) throw new Error(`no answer to ${name}`);
      return answer;
    },
    headers: () => Promise.reject(new Error('not used')),
  };
  const sent = await sendDirect({
    http,
    tickets: createTickets(),
    tuning: DEFAULT_TUNING,
    delays: createAbortableDelays(),
    id: ID,
    file: { blob: new Blob(['0011223344']), name: 'a.csv' },
    signal: new AbortController().signal,
    isKnown: false,
    onAttempt: () => undefined,
    putPart: async (url, { body }) => void requests.push(`PUT ${url} ${await body?.text()}`),
    ...more,
  });
  return { sent, requests };
}

const CREATED = { upload: RECEIVING, partSize: 2, parts: [addressOf(1), addressOf(2)] };
const stored = (...numbers: number[]) => ({
  partSize: 2,
  parts: numbers.map((number) => ({ number, size: 2, etag: `e${number}` })),
});
const COMPLETE = `POST /uploads/${ID}/direct/complete`;
const STORED = `GET /uploads/${ID}/direct/stored`;
const MORE = `GET /uploads/${ID}/direct/parts?from=3&count=4`;

describe('a file that goes straight to the bucket', () => {
  test('is sent in parts, for which it asks for addresses as they are needed', async () => {
    const { sent, requests } = await send({
      'POST /uploads/direct': CREATED,
      [MORE]: { parts: [3, 4, 5].map(addressOf) },
      [STORED]: stored(1, 2, 3, 4, 5),
      [COMPLETE]: QUEUED,
    });
    expect(sent).toEqual(QUEUED);
    expect(requests).toEqual([
      'POST /uploads/direct',
      'PUT https://bucket.example/1 00',
      'PUT https://bucket.example/2 11',
      MORE,
      'PUT https://bucket.example/3 22',
      'PUT https://bucket.example/4 33',
      'PUT https://bucket.example/5 44',
      STORED,
      COMPLETE,
    ]);
  });

  test('is resumed without the parts that the bucket has', async () => {
    const { requests } = await send(
      {
        [`GET /uploads/${ID}`]: RECEIVING,
        [STORED]: stored(1, 2, 4, 5),
        [MORE]: { parts: [3, 4, 5].map(addressOf) },
        [COMPLETE]: QUEUED,
      },
      { isKnown: true },
    );
    expect(requests.filter((name) => name.startsWith('PUT'))).toEqual(['PUT https://bucket.example/3 22']);
  });

  test('is read again if the answer to its completion was lost', async () => {
    const { sent } = await send({
      'POST /uploads/direct': CREATED,
      [MORE]: { parts: [3, 4, 5].map(addressOf) },
      [STORED]: problem('no_direct_upload', 409),
      [`GET /uploads/${ID}`]: QUEUED,
    });
    expect(sent).toEqual(QUEUED);
  });

  test('is left to another road if the service has no bucket', async () => {
    expect((await send({ 'POST /uploads/direct': problem('no_direct_uploads', 501) })).sent).toBeUndefined();
  });
});
