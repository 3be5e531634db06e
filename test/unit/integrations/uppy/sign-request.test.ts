import { describe, expect, jest, test } from '@jest/globals';
import type { DirectRequests } from '../../../../src/integrations/uppy/direct-requests.ts';
import { createSigning } from '../../../../src/integrations/uppy/sign-request.ts';

const BASE = 'https://uploads.example/a&b';

/** Makes requests that answer at once, and records them. */
function fakeRequests(): { requests: DirectRequests; calls: unknown[][] } {
  const calls: unknown[][] = [];
  const note =
    <T>(name: string, answer: T) =>
    async (...given: unknown[]): Promise<T> => {
      calls.push([name, ...given]);
      return await Promise.resolve(answer);
    };
  const requests = {
    create: note('create', 'id'),
    address: note('address', { url: 'https://bucket/part', headers: {} }),
    stored: note('stored', [
      { number: 1, size: 9, etag: 'one' },
      { number: 2, size: 3, etag: 'two' },
    ]),
    complete: note('complete', undefined),
    abort: note('abort', undefined),
  };
  return { requests, calls };
}

async function answerAt({ url }: { url: string }): Promise<string> {
  return await (await fetch(url)).text();
}

describe('the signing of requests for Uppy 6', () => {
  const file = { name: 'harbour.jpg', size: 12 };

  test('creates the upload of the file to which a key belongs', async () => {
    const { requests, calls } = fakeRequests();
    const signing = createSigning(requests, BASE);
    const keys = [signing.generateObjectKey({ name: 'other.jpg', size: 1 }), signing.generateObjectKey(file)];
    const address = await signing.signRequest({ method: 'POST', key: keys[1] ?? '' });
    expect([address.key, await answerAt(address), calls]).toEqual([
      'id',
      '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>',
      [['create', file]],
    ]);
  });

  test('creates one upload for a key if Uppy asks again, before or after the answer', async () => {
    const { requests, calls } = fakeRequests();
    const signing = createSigning(requests, BASE);
    const request = { method: 'POST', key: signing.generateObjectKey(file) } as const;
    const addresses = await Promise.all([signing.signRequest(request), signing.signRequest(request)]);
    addresses.push(await signing.signRequest(request));
    expect(addresses.map(({ key }) => key)).toEqual(['id', 'id', 'id']);
    expect(calls).toEqual([['create', file]]);
  });

  test('creates the upload of a key again after a failure', async () => {
    const create = jest.fn<DirectRequests['create']>();
    create.mockRejectedValueOnce(new Error('no connection')).mockResolvedValueOnce('second');
    const signing = createSigning({ ...fakeRequests().requests, create }, BASE);
    const request = { method: 'POST', key: signing.generateObjectKey(file) } as const;
    await expect(signing.signRequest(request)).rejects.toThrow('no connection');
    expect((await signing.signRequest(request)).key).toBe('second');
    expect(create.mock.calls).toEqual([[file], [file]]);
  });

  test('completes an upload with the parts that the bucket has', async () => {
    const { requests, calls } = fakeRequests();
    const upload = { key: 'id', uploadId: 'id' };
    const address = await createSigning(requests, BASE).signRequest({ method: 'POST', ...upload });
    expect(await answerAt(address)).toBe(
      '<CompleteMultipartUploadResult><Location>https://uploads.example/a&amp;b/uploads/id</Location><Key>id</Key>' +
        '</CompleteMultipartUploadResult>',
    );
    const parts = [
      { number: 1, etag: 'one' },
      { number: 2, etag: 'two' },
    ];
    expect(calls).toEqual([
      ['stored', 'id'],
      ['complete', 'id', parts],
    ]);
  });

  test('lists stored parts, gives the address of a part, and aborts', async () => {
    const { requests, calls } = fakeRequests();
    const signing = createSigning(requests, BASE);
    const upload = { key: 'id', uploadId: 'id' };
    expect(await answerAt(await signing.signRequest({ method: 'GET', ...upload }))).toBe(
      '<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>one</ETag></Part>' +
        '<Part><PartNumber>2</PartNumber><ETag>two</ETag></Part></ListPartsResult>',
    );
    expect((await signing.signRequest({ method: 'PUT', ...upload, partNumber: 2 })).url).toBe('https://bucket/part');
    expect(await answerAt(await signing.signRequest({ method: 'DELETE', ...upload }))).toBe('');
    expect(calls).toEqual([
      ['stored', 'id'],
      ['address', 'id', 2],
      ['abort', 'id'],
    ]);
  });

  test('rejects a file that Uppy wants to put as a whole', async () => {
    const { requests, calls } = fakeRequests();
    const signing = createSigning(requests, BASE);
    await expect(signing.signRequest({ method: 'PUT', key: signing.generateObjectKey(file) })).rejects.toThrow(
      'shouldUseMultipart',
    );
    expect(calls).toEqual([]);
  });
});
