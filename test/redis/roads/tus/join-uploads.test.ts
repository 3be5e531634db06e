import { describe, expect, test } from '@jest/globals';
import { Upload } from '@tus/server';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { RequestScope } from '../../../../src/http/request-scope.ts';
import { UploadRemoval } from '../../../../src/intake/removal.ts';
import { Transfers } from '../../../../src/http/transfers.ts';
import { parseKey } from '../../../../src/storage/keys.ts';
import { joinUploads } from '../../../../src/roads/tus/join-uploads.ts';
import { RedisLocker } from '../../../../src/roads/tus/redis-locker.ts';
import { TusStore, type TusStoreParts } from '../../../../src/roads/tus/tus-store.ts';
import { UploadParts } from '../../../../src/storage/upload-parts.ts';
import { codeOf, freshId, jpegBytes } from '../../../helpers/fake-request.ts';
import { useIntake, SCOPE, type IntakeSpace } from '../../../helpers/intake-space.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { silentLog } from '../../../helpers/record-space.ts';

const NEVER = new AbortController().signal;
const LARGE = jpegBytes(9 * 1024 * 1024);

let space: IntakeSpace;
let parts: TusStoreParts;

useIntake('test', (opened) => {
  space = opened;
  const { records, storage } = space;
  const removal = new UploadRemoval({ records, storage, transfers: new Transfers(), log: silentLog });
  parts = { ...space.parts, removal, maxFileBytes: LARGE.length, expiryMs: 60_000 };
});

const callerOf = (tenant: string): RequestScope => ({
  ...SCOPE,
  caller: { ...SCOPE.caller, tenant, via: 'key', keyId: 'k' },
});

async function partial(bytes: Buffer, scope = SCOPE): Promise<string> {
  const id = freshId();
  const store = new TusStore(parts, scope, { concat: { role: 'partial' } });
  await store.create(new Upload({ id, offset: 0, size: bytes.length, metadata: {} }));
  await store.write(Readable.from([bytes]), id, 0);
  return id;
}

async function join(ids: readonly string[], { scope = SCOPE, changed = parts } = {}): Promise<string> {
  const id = freshId();
  const locker = new RedisLocker({ store: space.store, keys: space.keys, log: silentLog }, NEVER);
  await joinUploads(changed, scope, locker, { id, metadata: {}, concat: { role: 'final', ids } }, NEVER);
  return id;
}

describe('a final upload', () => {
  test('has the bytes of its partial uploads in their order, which are then gone', async () => {
    const bytes = jpegBytes(9000);
    const [last, first] = [await partial(bytes.subarray(5000)), await partial(bytes.subarray(0, 5000))];
    const id = await join([first, last]);
    expect((await space.records.read(id))?.record).toMatchObject({
      state: 'queued',
      receivedBytes: 9000,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(space.files().map((key) => [parseKey(key)?.id, parseKey(key)?.kind])).toEqual(
      expect.arrayContaining([
        [id, 'original'],
        [id, 'manifest'],
      ]),
    );
    expect(space.files()).toHaveLength(2);
    expect([await space.records.read(first), await space.records.read(last)]).toEqual([undefined, undefined]);
  });

  test('of large parts is queued at once, and a worker finds all its bytes', async () => {
    const half = LARGE.length / 2;
    const ids = [await partial(LARGE.subarray(0, half)), await partial(LARGE.subarray(half))];
    const id = await join(ids);
    const record = (await space.records.read(id))?.record;
    if (record === undefined) throw new Error('no record');
    expect([record.state, record.sha256]).toEqual(['queued', null]);
    const stored = await new UploadParts(space.storage, record).stored();
    const middle = await new UploadParts(space.storage, record).bytesAt(stored, half - 5, 10);
    expect([stored.bytes, middle?.equals(LARGE.subarray(half - 5, half + 5))]).toEqual([LARGE.length, true]);
  });

  test('takes no upload of another tenant', async () => {
    const foreign = await partial(jpegBytes(5000), callerOf('acme'));
    expect(await codeOf(join([foreign]))).toBe('unknown_upload');
    expect(await codeOf(join([foreign], { scope: callerOf('globex') }))).toBe('unknown_upload');
    expect(await codeOf(join([foreign], { scope: callerOf('acme') }))).toBe('none');
  });

  test('leaves its partial uploads for another try if the queue is full', async () => {
    const one = await partial(jpegBytes(5000));
    const limited = { applied: false, rejection: 'limited', record: undefined } as const;
    const records = overriding(space.records, {
      enqueue: async () => await Promise.resolve({ ...limited, limit: { name: 'waiting', endsInMs: undefined } }),
    });
    expect(await codeOf(join([one], { changed: { ...parts, records } }))).toBe('quota_exceeded');
    expect(space.files().map((key) => parseKey(key)?.id)).toEqual([one]);
    expect((await space.records.read(await join([one])))?.record.state).toBe('queued');
  });

  test('is made once of two requests with the same parts', async () => {
    const ids = [await partial(jpegBytes(5000)), await partial(Buffer.alloc(100, 1))];
    const ends = await Promise.all([ids, ids.toReversed()].map((list) => codeOf(join(list))));
    expect(ends.sort()).toEqual(['none', 'unknown_upload']);
    expect(space.queued).toHaveLength(1);
  });

  test('is not larger than one file may be', async () => {
    const ids = [await partial(LARGE), await partial(Buffer.alloc(1))];
    expect(await codeOf(join(ids))).toBe('file_too_large');
  });
});
