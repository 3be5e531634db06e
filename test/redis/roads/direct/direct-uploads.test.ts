import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { ServiceError } from '../../../../src/errors.ts';
import type { RequestScope } from '../../../../src/http/request-scope.ts';
import { UploadRemoval } from '../../../../src/intake/removal.ts';
import { UploadSets } from '../../../../src/queue/upload-sets.ts';
import { DirectUploads, type BegunUpload } from '../../../../src/roads/direct/direct-uploads.ts';
import { readManifest } from '../../../../src/storage/manifest.ts';
import { manifestKey, originalKey, uploadPrefix } from '../../../../src/storage/keys.ts';
import { handleDueUploads } from '../../../../workers/janitor/due-uploads.ts';
import { silentVisitor } from '../../../../workers/roads/visit-silent.ts';
import { jpegBytes } from '../../../helpers/fake-request.ts';
import { useIntake, SCOPE, type IntakeSpace } from '../../../helpers/intake-space.ts';
import { silentLog } from '../../../helpers/record-space.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { openS3Storage, S3_PREFIX, type TempS3 } from '../../../helpers/s3-storage.ts';
import { at, loseAnswer } from '../../../helpers/s3-server.ts';
import { callerOf, ticketFor, useOf } from '../../../helpers/tenant-use.ts';

const MIB = 1024 * 1024;
/** The size of a file of one part. */
const SIZE = 9000;
/** The size of a file of two parts. */
const LARGE = 8 * MIB + 9000;
const EXPIRY_MS = 60_000;

let s3: TempS3;
let space: IntakeSpace;
let direct: DirectUploads;

beforeAll(async () => {
  s3 = await openS3Storage();
});
afterAll(async () => await s3.remove());
afterEach(async () => {
  s3.server.fault = undefined;
});
useIntake('test', (opened) => {
  space = opened;
  direct = uploadsOf(space.parts.records);
});

const uploadsOf = (records: IntakeSpace['records']) =>
  new DirectUploads({ ...space.parts, records, storage: s3.storage, maxFileBytes: 100 * MIB, expiryMs: EXPIRY_MS });

const file = (length = SIZE): Buffer => Buffer.concat([jpegBytes(), Buffer.alloc(length - 6000, 7)]);

async function begin(scope: RequestScope = SCOPE, more: { size?: number; sha256?: string } = {}): Promise<BegunUpload> {
  return await direct.create(scope, { fileName: 'a.jpg', size: SIZE, ...more });
}

const idOf = ({ read }: BegunUpload): string => read.record.id;

/** Puts parts of the file, and returns them as the client would list them. */
async function put({ parts, partBytes }: BegunUpload, bytes: Buffer, numbers?: readonly number[]) {
  const wanted = parts.filter(({ number }) => numbers?.includes(number) ?? true);
  return await Promise.all(
    wanted.map(async ({ number, url }) => {
      const body = new Uint8Array(bytes.subarray((number - 1) * partBytes, number * partBytes));
      const answer = await fetch(url, { method: 'PUT', body });
      return { number, etag: answer.headers.get('etag') ?? '', status: answer.status };
    }),
  );
}

async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );
}

const stateOf = async (id: string) => (await space.records.read(id))?.record.state;

const objectsOf = (id: string) => s3.server.memory.keys().filter((key) => key.includes(`/${id}/`));

/** Returns the number of multipart uploads that the bucket still has for an upload. */
const openAt = (id: string) =>
  [...s3.server.memory.uploads.values()].filter(({ key }) => key.includes(`/${id}/`)).length;

async function complete(begun: BegunUpload, parts: readonly { number: number; etag: string }[], by = direct) {
  return await by.complete(SCOPE, idOf(begun), { parts: parts.map(({ number, etag }) => ({ number, etag })) });
}

describe('an upload straight to the bucket', () => {
  test('has a record before its first byte, and addresses of its first parts', async () => {
    const begun = await begin();
    expect(begun.read.record).toMatchObject({ state: 'receiving', totalBytes: SIZE, fileName: 'a.jpg' });
    expect([begun.parts.length, begun.partBytes]).toEqual([1, 8 * MIB]);
    expect((await begin(SCOPE, { size: 100 * MIB - 1 })).parts.map(({ number }) => number)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  test('is queued with its type and its manifest when it is completed', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    const { record, queuePosition } = await complete(begun, await put(begun, file(LARGE)));
    expect([record.state, record.type, record.receivedBytes, queuePosition]).toEqual([
      'queued',
      'image/jpeg',
      LARGE,
      1,
    ]);
    const { id, fencingToken, publicId } = record;
    expect(await readManifest(s3.storage, manifestKey(id, fencingToken))).toMatchObject({
      id,
      publicId,
      sizeBytes: LARGE,
    });
    const stored = s3.server.memory.objects.get(`${S3_PREFIX}/${originalKey(id, fencingToken)}`);
    expect(stored?.bytes.equals(file(LARGE))).toBe(true);
    expect(space.permits).toHaveLength(1);
  });

  test('has the same answer to the same request again, from two processes at once too', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const others = [direct, uploadsOf(space.another()), uploadsOf(space.another())];
    const reads = await Promise.all(others.map(async (by) => await complete(begun, parts, by)));
    reads.push(await complete(begun, parts));
    expect(new Set(reads.map(({ record }) => `${record.state} ${record.version}`)).size).toBe(1);
    expect(await space.connection.zcard(space.keys.waiting)).toBe(1);
  });

  test.each([
    ['a part is missing', (parts: Listed[]) => parts.slice(0, 1)],
    ['the parts are out of order', (parts: Listed[]) => parts.toReversed()],
    ['a part is listed twice', ([one]: Listed[]) => [one, one]],
    ['there are more parts than the file has', (parts: Listed[]) => [...parts, { number: 3, etag: 'x' }]],
    ['a part is from another upload', ([one, two]: Listed[]) => [{ ...one, etag: 'f'.repeat(32) }, two]],
  ])('is not completed if %s, and can be completed afterwards', async (_, change) => {
    const begun = await begin(SCOPE, { size: LARGE });
    const parts = await put(begun, file(LARGE));
    expect(await outcomeOf(complete(begun, change(parts) as Listed[]))).toBe('bad_parts');
    expect((await complete(begun, parts)).record.state).toBe('queued');
  });

  test('is not completed if the bucket has a part of another length', async () => {
    const begun = await begin();
    const shorter = file().subarray(0, SIZE - 1);
    expect(await outcomeOf(complete(begun, await put(begun, shorter)))).toBe('bad_parts');
    expect(await stateOf(idOf(begun))).toBe('receiving');
  });

  test('is completed although the answer of the bucket was lost', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    let lost = 0;
    s3.server.fault = at('CompleteMultipartUpload', (asked) => (lost++ === 0 ? loseAnswer(asked) : asked.proceed()));
    expect((await complete(begun, parts)).record.state).toBe('queued');
  });

  test('fails if its first bytes are of a type that is not accepted, and leaves no bytes', async () => {
    const begun = await begin();
    const parts = await put(begun, Buffer.alloc(SIZE));
    expect(await outcomeOf(complete(begun, parts))).toBe('unsupported_media_type');
    expect([await stateOf(idOf(begun)), objectsOf(idOf(begun))]).toEqual(['failed', []]);
    expect(await outcomeOf(complete(begun, parts))).toBe('unsupported_media_type');
  });

  test('is no fault of the file if the bucket goes away while its first bytes are read', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const away = new ServiceError('service_unavailable', 'The storage does not respond.');
    const broken = async () => new Readable({ construct: (ready) => ready(away) });
    const storage = overriding(s3.storage, { read: broken });
    const by = new DirectUploads({ ...space.parts, storage, maxFileBytes: 100 * MIB, expiryMs: EXPIRY_MS });
    expect(await outcomeOf(complete(begun, parts, by))).toBe('service_unavailable');
    expect(await stateOf(idOf(begun))).toBe('receiving');
    expect((await complete(begun, parts)).record.state).toBe('queued');
  });

  test('reports the bytes that the bucket has when the client asks for them', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    await put(begun, file(LARGE), [1]);
    expect((await direct.stored(idOf(begun))).parts).toMatchObject([{ number: 1, sizeBytes: 8 * MIB }]);
    const record = (await space.records.read(idOf(begun)))?.record;
    expect(record?.receivedBytes).toBe(8 * MIB);
    expect(record?.percent).toBeGreaterThan(20);
  });

  test('gives no address for a part that the file does not have', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    expect((await direct.sign(idOf(begun), 2, 100)).map(({ number }) => number)).toEqual([2]);
    expect(await outcomeOf(direct.sign(idOf(begun), 3))).toBe('bad_request');
  });

  test('is aborted by DELETE, and its addresses are worthless then', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const transfers = { end: () => undefined };
    await new UploadRemoval({ records: space.records, storage: s3.storage, transfers, log: silentLog }).delete(
      idOf(begun),
    );
    expect([openAt(idOf(begun)), objectsOf(idOf(begun))]).toEqual([0, []]);
    expect((await put(begun, file()))[0]?.status).toBe(404);
    expect(await outcomeOf(complete(begun, parts))).toBe('upload_gone');
  });

  test('leaves nothing in the bucket if it is deleted while it is completed', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const records = overriding(space.records, {
      async enqueue(id, ...more) {
        await space.records.delete(id);
        await s3.storage.removeAll(uploadPrefix(id));
        return await space.records.enqueue(id, ...more);
      },
    });
    expect(await outcomeOf(complete(begun, parts, uploadsOf(records)))).toBe('upload_cancelled');
    expect(objectsOf(idOf(begun))).toEqual([]);
  });

  test('refuses the address of a part after completion', async () => {
    const begun = await begin();
    await complete(begun, await put(begun, file()));
    expect((await put(begun, file(), [1]))[0]?.status).toBe(404);
    expect(await outcomeOf(direct.sign(idOf(begun)))).toBe('no_direct_upload');
  });

  test('stays complete in the bucket while the queue is full, and is queued by the next request', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const full = overriding(space.records, {
      enqueue: (id, token, stored, limits) =>
        space.records.enqueue(id, token, stored, limits && { ...limits, capacity: 0, discards: false }),
    });
    expect(await outcomeOf(complete(begun, parts, uploadsOf(full)))).toBe('queue_full');
    expect(await stateOf(idOf(begun))).toBe('receiving');
    expect((await complete(begun, (await direct.stored(idOf(begun))).parts)).record.state).toBe('queued');
  });

  test('lists all parts after completion, so that a client that lost the answer gets it again', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    const { record } = await complete(begun, await put(begun, file(LARGE)));
    const { parts, partBytes } = await direct.stored(idOf(begun));
    expect([partBytes, parts.map(({ number, sizeBytes }) => [number, sizeBytes])]).toEqual([
      8 * MIB,
      [
        [1, 8 * MIB],
        [2, 9000],
      ],
    ]);
    expect((await complete(begun, parts)).record.version).toBe(record.version);
  });

  test('lists all parts if it is completed between reading the bucket and reporting its bytes', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const records = overriding(space.records, {
      async receive(id, ...more) {
        await complete(begun, parts);
        return await space.records.receive(id, ...more);
      },
    });
    const stored = await uploadsOf(records).stored(idOf(begun));
    expect(stored.parts).toMatchObject([{ number: 1, sizeBytes: SIZE }]);
    expect(await stateOf(idOf(begun))).toBe('queued');
  });
});

describe('the creation of an upload straight to the bucket', () => {
  test.each([
    ['a size above the limit of the service', { size: 100 * MIB + 1 }, 'file_too_large'],
    ['an empty file', { size: 0 }, 'empty_file'],
  ])('rejects %s', async (_, more, code) => {
    expect(await outcomeOf(begin(SCOPE, more))).toBe(code);
  });

  test('applies the limits of a ticket', async () => {
    const caller = callerOf('acme', {}, { via: 'ticket', ticket: { ...ticketFor(1), maxFileBytes: SIZE } });
    const scope = { ...SCOPE, caller };
    expect(await outcomeOf(begin(scope, { size: SIZE + 1 }))).toBe('ticket_forbids');
    expect(await outcomeOf(begin(scope))).toBe('done');
    expect(await outcomeOf(begin(scope))).toBe('ticket_forbids');
  });

  test('counts the announced bytes for the quotas of the tenant', async () => {
    const scope = { ...SCOPE, caller: callerOf('acme', { storedBytes: SIZE + 1 }) };
    expect(await outcomeOf(begin(scope))).toBe('done');
    expect(await outcomeOf(begin(scope))).toBe('quota_exceeded');
    expect((await useOf(space, 'acme')).receiving).toBe(1);
  });

  test('takes an id of the client, and rejects that of a stored upload', async () => {
    const begun = await begin();
    const again = await direct.create(SCOPE, { id: idOf(begun), fileName: 'a.jpg', size: SIZE });
    expect(again.read.record.fencingToken).not.toBe(begun.read.record.fencingToken);
    await complete(again, await put(again, file()));
    const later = direct.create(SCOPE, { id: idOf(begun), fileName: 'a.jpg', size: SIZE });
    expect(await outcomeOf(later)).toBe('upload_conflict');
  });

  test('is refused if the storage is no bucket', async () => {
    const local = new DirectUploads({ ...space.parts, maxFileBytes: SIZE, expiryMs: EXPIRY_MS });
    expect(await outcomeOf(local.create(SCOPE, { fileName: 'a', size: 1 }))).toBe('no_direct_uploads');
  });

  test('leaves no record if the bucket does not respond', async () => {
    s3.server.fault = at('CreateMultipartUpload', ({ request }) => void request.socket.destroy());
    expect(await outcomeOf(begin())).toBe('service_unavailable');
    expect(await space.connection.keys(space.keys.record('*'))).toEqual([]);
  });
});

describe('the janitor, for an upload whose tab was closed', () => {
  async function visit(id: string, afterMs: number): Promise<void> {
    const sets = new UploadSets(space.connection, space.keys);
    const nowMs = space.records.nowMs() + afterMs;
    const parts = { ...space.parts, records: space.records, storage: s3.storage, log: silentLog };
    const visit = silentVisitor({ uploadExpiryMs: EXPIRY_MS }, { ...parts, imports: { add: async () => undefined } });
    await handleDueUploads(
      {
        ...parts,
        queue: { ...parts.queue, has: async () => true },
        sets: overriding(sets, { due: async () => ({ nowMs, ids: [id] }), isDue: async () => true }),
        visitSilent: async (record) => await visit(record, nowMs),
      },
      new AbortController().signal,
    );
  }

  test('finishes it if the bucket has all parts', async () => {
    const begun = await begin();
    await put(begun, file());
    await visit(idOf(begun), 0);
    expect(await stateOf(idOf(begun))).toBe('queued');
  });

  test('raises its percent if parts were added', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    await put(begun, file(LARGE), [1]);
    await visit(idOf(begun), 2 * EXPIRY_MS);
    expect((await space.records.read(idOf(begun)))?.record).toMatchObject({
      state: 'receiving',
      receivedBytes: 8 * MIB,
    });
  });

  test('aborts it if no part was added until it expires', async () => {
    const begun = await begin(SCOPE, { size: LARGE });
    await put(begun, file(LARGE), [1]);
    await visit(idOf(begun), 0);
    await visit(idOf(begun), EXPIRY_MS - 30_000);
    expect(await stateOf(idOf(begun))).toBe('receiving');
    await visit(idOf(begun), EXPIRY_MS + 5_000);
    expect([await stateOf(idOf(begun)), openAt(idOf(begun))]).toEqual(['failed', 0]);
  });

  test('queues it if the process that completed it died before it could', async () => {
    const begun = await begin();
    const parts = await put(begun, file());
    const dying = overriding(space.records, { enqueue: () => Promise.reject(new Error('the process died')) });
    await outcomeOf(complete(begun, parts, uploadsOf(dying)));
    await visit(idOf(begun), 0);
    expect(await stateOf(idOf(begun))).toBe('queued');
  });
});

interface Listed {
  number: number;
  etag: string;
}
