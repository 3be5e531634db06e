import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Transfers } from '../../../src/http/transfers.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { RecordStore } from '../../../src/record/record-change.ts';
import { UploadRecords } from '../../../src/record/record.ts';
import { removeOrphanFiles } from '../../../src/record/orphan-files.ts';
import { manifestKey, originalKey } from '../../../src/storage/keys.ts';
import { readManifest } from '../../../src/storage/manifest.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';
import { IncomingUpload, type IntakeParts } from '../../../src/intake/incoming-upload.ts';
import { listenForOtherRequests } from '../../../src/intake/receive-progress.ts';
import { UploadRemoval } from '../../../src/intake/removal.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';
import { overriding } from '../../helpers/overriding.ts';
import { RESULT, silentLog } from '../../helpers/record-space.ts';
import { subscribeTo } from '../../../src/server/held-parts.ts';
import { openRegistry, recordOf as recordOfProgress } from '../../unit/record/states.ts';
import { codeOf, freshId, jpegBytes } from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, SCOPE } from '../../helpers/intake-space.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

const BYTES = jpegBytes();

async function open(parts: IntakeParts = space.parts, id = freshId(), scope = SCOPE): Promise<IncomingUpload> {
  const outcome = await IncomingUpload.open(parts, scope, { id, fileName: 'a.jpg', totalBytes: null });
  if (!('opened' in outcome)) throw new Error('not opened');
  return outcome.opened;
}

/** Yields the bytes of the file, and calls `happens` before the end. */
async function* bytesThen(happens: () => Promise<unknown> = async () => undefined): AsyncGenerator<Buffer> {
  yield BYTES;
  await happens();
}

async function recordOf({ record }: IncomingUpload) {
  return (await space.records.read(record.id))?.record;
}

function removal(): UploadRemoval {
  return new UploadRemoval({
    records: space.records,
    storage: space.storage,
    transfers: new Transfers(),
    log: silentLog,
  });
}

/** Returns records whose changes are applied, but whose replies are lost while `isAway` returns true. */
function forgetful(isAway: () => boolean): UploadRecords {
  const store: RecordStore = {
    async runScript(script, keys, args) {
      const reply = await space.store.runScript(script, keys, args);
      if (isAway()) throw new ServiceError('service_unavailable', 'No reply.');
      return reply;
    },
    readHash: (...args) => space.store.readHash(...args),
    readFieldsOf: (...args) => space.store.readFieldsOf(...args),
    get: (key) => space.store.get(key),
  };
  return new UploadRecords(store, space.keys, { retentionMs: 60_000 });
}

describe('the manifest', () => {
  test('is stored beside complete bytes, and record and job can be made from it', async () => {
    const upload = await open();
    const { id, fencingToken, publicId, createdAtMs } = upload.record;
    await upload.receive(bytesThen(), {}, 10_000);
    const manifest: unknown = JSON.parse(await readFile(join(space.directory, manifestKey(id, fencingToken)), 'utf8'));
    expect(manifest).toEqual({
      id,
      receipt: fencingToken,
      publicId,
      name: 'a.jpg',
      type: 'image/jpeg',
      sizeBytes: BYTES.length,
      options: DEFAULT_PICTURE_OPTIONS,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      createdAt: new Date(createdAtMs).toISOString(),
      sequence: 1,
    });
  });
});

describe('the queueing of an upload', () => {
  test('succeeds if its permit cannot be added, because the janitor adds it later', async () => {
    const add = async () => await Promise.reject(new Error('Redis is away'));
    const upload = await open({ ...space.parts, queue: { ...space.parts.queue, add } });
    await upload.receive(bytesThen(), {}, 10_000);
    expect(await upload.enqueue()).toMatchObject({ record: { state: 'queued' }, queuePosition: 1 });
    expect(space.files()).toHaveLength(2);
  });

  test('succeeds if the janitor considered this process dead and has queued it already', async () => {
    const upload = await open();
    await upload.receive(bytesThen(), {}, 10_000);
    const { id, fencingToken } = upload.record;
    const manifest = await readManifest(space.storage, manifestKey(id, fencingToken));
    const { version } = (await recordOf(upload)) ?? upload.record;
    if (manifest === undefined) throw new Error('no manifest');
    expect((await space.records.recover(manifest, version)).applied).toBe(true);
    expect(await upload.enqueue()).toMatchObject({ record: { id, state: 'queued' } });
    expect(space.files()).toHaveLength(2);
  });

  test('can be repeated from its manifest, which has its owner', async () => {
    const metadata = { order: 7 };
    const caller = { ...SCOPE.caller, via: 'key', tenant: 'acme', lane: 'batch', weight: 2, metadata } as const;
    const upload = await open(space.parts, freshId(), { ...SCOPE, caller });
    await upload.receive(bytesThen(), {}, 10_000);
    const { id, fencingToken } = upload.record;
    expect((await readManifest(space.storage, manifestKey(id, fencingToken)))?.owner).toEqual({
      tenant: 'acme',
      lane: 'batch',
      weight: 2,
      metadata,
    });
  });

  test('fails if nothing is stored', async () => {
    const upload = await open();
    await expect(upload.enqueue()).rejects.toThrow('nothing is stored yet');
  });

  test('fails if another request has taken over, and the files are removed', async () => {
    const first = await open();
    await first.receive(bytesThen(), {}, 10_000);
    const second = await open(space.parts, first.record.id);
    expect(await codeOf(first.enqueue())).toBe('upload_superseded');
    expect([space.files(), space.queued]).toEqual([[], []]);
    expect(await recordOf(second)).toMatchObject({ state: 'receiving', fencingToken: second.record.fencingToken });
  });

  test('leaves nothing that the janitor could queue if another request has taken over', async () => {
    const first = await open();
    await first.receive(bytesThen(), {}, 10_000);
    const { id, fencingToken } = first.record;
    const manifest = await readManifest(space.storage, manifestKey(id, fencingToken));
    const second = await open(space.parts, id);
    expect(await codeOf(first.enqueue())).toBe('upload_superseded');
    if (manifest === undefined) throw new Error('no manifest');
    expect(await space.records.recover(manifest, second.record.version)).toMatchObject({ rejection: 'fenced' });
    expect(await second.reject(new ServiceError('upload_interrupted', 'Cut.'))).toMatchObject({ state: 'failed' });
    expect(await space.records.restore(manifest)).toMatchObject({ rejection: 'fenced' });
    expect(space.files()).toEqual([]);
  });

  test('creates the record again if Redis has lost it while the file was received', async () => {
    let reports = 0;
    const receive: UploadRecords['receive'] = async (...report) => {
      const outcome = await space.records.receive(...report);
      if (!outcome.applied && outcome.rejection === 'missing') reports += 1;
      return outcome;
    };
    const upload = await open({ ...space.parts, records: overriding(space.parts.records, { receive }) });
    const { id, publicId, fencingToken } = upload.record;
    await upload.receive(
      (async function* (): AsyncGenerator<Buffer> {
        yield BYTES.subarray(0, 5000);
        await space.records.forget(id, publicId);
        await turnsUntil('a report without a record', () => reports > 0);
        yield BYTES.subarray(5000);
      })(),
      {},
      10_000,
    );
    expect(await upload.enqueue()).toMatchObject({ record: { id, publicId, state: 'queued', fencingToken } });
    expect([space.files().length, space.permits]).toEqual([2, ['other']]);
  });

  test('fails if Redis has lost the record, and another request has created it again', async () => {
    const first = await open();
    await first.receive(bytesThen(), {}, 10_000);
    await space.records.forget(first.record.id, first.record.publicId);
    const second = await open(space.parts, first.record.id);
    expect(await codeOf(first.enqueue())).toBe('upload_superseded');
    const { fencingToken } = second.record;
    expect(await recordOf(second)).toMatchObject({ state: 'receiving', fencingToken });
    expect(space.files()).toEqual([]);
  });

  test('keeps its bytes if it was queued although the reply was lost', async () => {
    let away = false;
    const upload = await open({ ...space.parts, records: forgetful(() => away) });
    await upload.receive(bytesThen(), {}, 10_000);
    away = true;
    await upload.enqueue().catch(() => undefined);
    expect(await recordOf(upload)).toMatchObject({ state: 'queued' });
    const { id, fencingToken } = upload.record;
    expect(space.files().sort()).toEqual([manifestKey(id, fencingToken), originalKey(id, fencingToken)].sort());
  });

  test('keeps its files after a rejection until the record is certainly gone', async () => {
    let away = false;
    const upload = await open({ ...space.parts, records: forgetful(() => away) });
    await upload.receive(bytesThen(), {}, 10_000);
    away = true;
    await upload.enqueue().catch(() => undefined);
    expect(await codeOf(upload.forget())).toBe('service_unavailable');
    expect(space.files()).toHaveLength(2);
    away = false;
    await upload.forget();
    expect(space.files()).toEqual([]);
  });
});

describe('an upload that was stored while Redis was away, and so is not queued', () => {
  async function storedOnly(): Promise<IncomingUpload> {
    let away = false;
    const store: RecordStore = overriding(space.store, {
      async runScript(script: string, keys: readonly string[], args: readonly string[]) {
        if (away) throw new ServiceError('service_unavailable', 'Away.');
        return await space.store.runScript(script, keys, args);
      },
    });
    const upload = await open({
      ...space.parts,
      records: new UploadRecords(store, space.keys, { retentionMs: 60_000 }),
    });
    await upload.receive(bytesThen(), {}, 10_000);
    away = true;
    expect(await codeOf(upload.enqueue())).toBe('service_unavailable');
    const { id, fencingToken } = upload.record;
    expect(space.files().sort()).toEqual([manifestKey(id, fencingToken), originalKey(id, fencingToken)].sort());
    away = false;
    return upload;
  }

  test('leaves no file once the rejection is recorded', async () => {
    const upload = await storedOnly();
    await upload.reject(new ServiceError('service_unavailable', 'Away.'));
    expect([(await recordOf(upload))?.state, space.files()]).toEqual(['failed', []]);
  });

  test('keeps its files until it was sent again and has ended, because it may be queued', async () => {
    const { record } = await storedOnly();
    const again = await open(space.parts, record.id);
    expect(space.files()).toHaveLength(2);
    await again.receive(bytesThen(), {}, 10_000);
    await again.enqueue();
    const attempt = (await space.records.begin(record.id)).record?.attempt ?? 0;
    await space.records.complete(record.id, attempt, RESULT);
    expect(await removeOrphanFiles({ records: space.records, storage: space.storage }, record.id)).toHaveLength(2);
    expect(space.files().every((path) => path.includes(again.record.fencingToken))).toBe(true);
  });

  test('leaves no file once it has expired', async () => {
    const { record } = await storedOnly();
    const problem = { type: '/problems/x', title: 'X', status: 409, detail: 'X.', code: 'upload_interrupted' };
    await space.records.interrupt(record.id, (await space.records.read(record.id))?.record.version ?? 0, problem);
    expect(await removeOrphanFiles({ records: space.records, storage: space.storage }, record.id)).toHaveLength(2);
  });
});

describe('an upload that is cancelled while it is received', () => {
  test('gets upload_cancelled, stays cancelled and leaves no file', async () => {
    const upload = await open();
    const receiving = upload
      .receive(
        bytesThen(() => removal().cancel(upload.record.id)),
        {},
        10_000,
      )
      .then(() => upload.enqueue());
    expect(await codeOf(receiving)).toBe('upload_cancelled');
    expect(await recordOf(upload)).toMatchObject({ state: 'cancelled' });
    expect([space.files(), space.queued]).toEqual([[], []]);
  });

  test('gets upload_cancelled also if it is deleted', async () => {
    const upload = await open();
    const receiving = upload
      .receive(
        bytesThen(() => removal().delete(upload.record.id)),
        {},
        10_000,
      )
      .then(() => upload.enqueue());
    expect(await codeOf(receiving)).toBe('upload_cancelled');
    expect([space.files(), space.queued]).toEqual([[], []]);
  });

  test('gets upload_cancelled from the record, before its files are removed', async () => {
    const upload = await open();
    await upload.receive(
      bytesThen(() => space.records.cancel(upload.record.id)),
      {},
      10_000,
    );
    expect(await codeOf(upload.enqueue())).toBe('upload_cancelled');
    expect([space.files(), space.queued]).toEqual([[], []]);
  });
});

describe('ending an upload before it is queued', () => {
  test('with reject records the facts about the file', async () => {
    const upload = await open();
    await expect(upload.receive(bytesThen(), {}, 5999)).rejects.toMatchObject({ code: 'file_too_large' });
    const record = await upload.reject(new ServiceError('file_too_large', 'Too large.'));
    expect(record).toMatchObject({
      state: 'failed',
      error: { code: 'file_too_large', detail: 'Too large.', state: 'failed', final: true },
    });
    expect(space.files()).toEqual([]);
  });

  test('with reject changes nothing if the upload was taken over', async () => {
    const first = await open();
    const second = await open(space.parts, first.record.id);
    expect(await first.reject(new ServiceError('upload_interrupted', 'Gone.'))).toBeUndefined();
    expect(await recordOf(second)).toMatchObject({ state: 'receiving' });
  });

  test('with forget keeps the record if a storage that is away may have unfinished files', async () => {
    const upload = await open({
      ...space.parts,
      storage: overriding(space.parts.storage, { removeUnfinished: isAway }),
    });
    await upload.receive(bytesThen(), {}, 10_000);
    await expect(upload.forget()).rejects.toThrow('away');
    expect(await recordOf(upload)).toBeDefined();
  });

  test('with forget deletes even a queued upload, so that no scan restores it from remaining files', async () => {
    const upload = await open({ ...space.parts, storage: overriding(space.parts.storage, { remove: isAway }) });
    await upload.receive(bytesThen(), {}, 10_000);
    await upload.enqueue();
    await expect(upload.forget()).rejects.toThrow('away');
    expect(await recordOf(upload)).toMatchObject({ state: 'cancelled', deleted: true });
  });

  test('with forget leaves neither file nor record', async () => {
    const upload = await open();
    await upload.receive(bytesThen(), {}, 10_000);
    await upload.forget();
    expect(await recordOf(upload)).toBeUndefined();
    expect(await space.records.idOf(upload.record.publicId)).toBeUndefined();
    expect(space.files()).toEqual([]);
  });
});

async function isAway(): Promise<never> {
  throw new Error('away');
}

test('an upload loses only its reports if Redis is away while its bytes arrive', async () => {
  let away = false;
  const upload = await open({ ...space.parts, records: forgetful(() => away) });
  away = true;
  await upload.receive(
    bytesThen(async () => await new Promise((resolve) => setTimeout(resolve, 60))),
    {},
    10_000,
  );
  away = false;
  expect(await upload.enqueue()).toMatchObject({ record: { state: 'queued' }, queuePosition: 1 });
});

describe('an event of an upload whose bytes arrive', () => {
  const mine = recordOfProgress({ state: 'receiving', version: 5, phaseStartedAtMs: 1000 });

  test.each([
    ['a report of its own', { version: 6 }, 0],
    ['a late event from before it was opened', { version: 4, state: 'cancelled' }, 0],
    ['a cancel', { version: 6, state: 'cancelled' }, 1],
    ['another request that begins again', { version: 6, phaseStartedAtMs: 2000 }, 1],
    ['a gap', undefined, 1],
  ] as const)('is passed on only if another writer may have caused it: %s', async (_, change, reads) => {
    let calls = 0;
    const registry = openRegistry();
    const listen: IntakeParts['listen'] = (observer) => subscribeTo(registry, silentLog, observer);
    const release = listenForOtherRequests({ listen }, mine)(() => (calls += 1));
    await turn();
    expect(calls).toBe(1);
    registry.wake(mine.id, change === undefined ? undefined : { ...mine, ...change });
    await turn();
    expect(calls).toBe(1 + reads);
    release();
    expect(registry.size).toBe(0);
  });
});
