import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openCaller } from '../../../../src/access/caller.ts';
import type { UploadState } from '../../../../src/wire/documents.ts';
import { manifestOwner } from '../../../../src/record/ownership.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { OTHER_KIND } from '../../../../src/queue/contract.ts';
import { storageUnavailable } from '../../../../src/storage/file-errors.ts';
import { manifestKey, originalKey, partKey, variantKey } from '../../../../src/storage/keys.ts';
import { putObject } from '../../../../src/storage/storage.ts';
import { assemble } from '../../../../workers/assemble.ts';
import { handleDueUploads } from '../../../../workers/janitor/due-uploads.ts';
import { reconcileStorage } from '../../../../workers/janitor/reconciliation-scan.ts';
import { applied, newUpload, RESULT, silentLog, uploadIn } from '../../../helpers/record-space.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { uploadRef } from '../../../../src/telemetry/upload-ref.ts';
import { NEVER, openJanitorSpace, type JanitorSpace } from '../../../helpers/janitor-space.ts';
import { useSpace } from '../../../helpers/use-space.ts';

let janitor: JanitorSpace;

useSpace('test', openJanitorSpace, (opened) => (janitor = opened));

describe('the reconciliation scan', () => {
  test('restores record and job of an upload that Redis has lost, with an attempt above all earlier ones', async () => {
    const { id, fencingToken } = await janitor.storedUpload();
    await reconcileStorage(janitor.parts(), NEVER);
    const record = (await janitor.records.read(id))?.record;
    expect(record).toMatchObject({
      state: 'queued',
      fencingToken,
      fileName: 'a.jpg',
      stored: true,
      percent: 30,
      publicId: `p-${id}`,
      createdAtMs: 0,
    });
    expect([janitor.permits, await janitor.records.idOf(`p-${id}`)]).toEqual([[OTHER_KIND], id]);
    const attempt = applied(await janitor.records.begin(id)).record?.attempt ?? 0;
    expect(attempt).toBeGreaterThan(1_000_000);
    expect((await janitor.records.complete(id, attempt, RESULT)).applied).toBe(true);
  });

  test('restores tenant, lane, weight and metadata, and nothing of them from a manifest without an owner', async () => {
    const owner = { tenant: 'acme', lane: 'batch', weight: 2, metadata: { order: 7, tags: [] } } as const;
    const [owned, open] = [await janitor.storedUpload(undefined, { owner }), await janitor.storedUpload()];
    await reconcileStorage(janitor.parts(), NEVER);
    const [one, other] = await Promise.all(
      [owned, open].map(async ({ id }) => (await janitor.records.read(id))?.record),
    );
    expect(one).toMatchObject({ tenant: 'acme', lane: 'batch', weight: 2, appMetadata: owner.metadata });
    expect(other).toMatchObject({ tenant: null, lane: 'live', weight: 1, appMetadata: null });
  });

  test('restores an upload whose outcome is reported by a webhook, for processes without endpoints too', async () => {
    const caller = { ...openCaller, via: 'key', tenant: 'acme', hasWebhooks: true } as const;
    const lost = await uploadIn(janitor.records, 'queued', { caller });
    const { record } = (await janitor.records.read(lost.id)) ?? {};
    if (record === undefined) throw new Error('no record');
    await janitor.records.forget(lost.id, record.publicId);
    await janitor.storedUpload(lost.id, { ...manifestOwner(record), fencingToken: lost.fencingToken });
    await reconcileStorage(janitor.parts(), NEVER);
    applied(await janitor.records.cancel(lost.id));
    expect(await janitor.connection.xlen(janitor.keys.outbox)).toBe(1);
  });

  test('restores the digest that the sender has announced, so that a worker still checks it', async () => {
    const announcedSha256 = 'a'.repeat(64);
    const { id } = await janitor.storedUpload(undefined, { sha256: null, announcedSha256 });
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await janitor.records.read(id))?.record).toMatchObject({ sha256: null, announcedSha256 });
  });

  test('restores a resumable upload whose parts are not joined, and a worker joins them', async () => {
    const { id, fencingToken } = await janitor.storedUpload(undefined, { sizeBytes: 6, sha256: null });
    await janitor.storage.remove(originalKey(id, fencingToken));
    await putObject(janitor.storage, partKey(id, 0, '000000000001'), Buffer.from('abc'));
    await putObject(janitor.storage, partKey(id, 3, '000000000002'), Buffer.from('def'));
    await reconcileStorage(janitor.parts(), NEVER);
    const record = (await janitor.records.read(id))?.record;
    if (record === undefined) throw new Error('not restored');
    expect([record.state, janitor.permits, janitor.files().length]).toEqual(['queued', [OTHER_KIND], 3]);
    const context = { signal: NEVER, report: () => undefined, log: silentLog };
    const assembled = await assemble(janitor.storage, record, { ...context, bounded: (work) => work() });
    expect(await readFile(assembled?.input.path ?? '', 'utf8')).toBe('abcdef');
    expect(janitor.files().sort()).toEqual([manifestKey(id, fencingToken), originalKey(id, fencingToken)].sort());
  });

  test('changes no upload that has a record, and does not run again at once', async () => {
    const upload = await uploadIn(janitor.records, 'completed');
    await janitor.storedUpload(upload.id, { fencingToken: upload.fencingToken });
    const before = await janitor.records.read(upload.id);
    await reconcileStorage(janitor.parts(), NEVER);
    expect([(await janitor.records.read(upload.id))?.record, janitor.permits]).toEqual([before?.record, []]);
    await janitor.storedUpload();
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.permits).toEqual([]);
  });

  test('removes the files of an earlier request if the record names a later one', async () => {
    const upload = await uploadIn(janitor.records, 'queued');
    const { id, fencingToken } = upload;
    await janitor.storedUpload(id, { fencingToken });
    const kept = janitor.files();
    await janitor.storedUpload(id);
    expect(janitor.files()).toHaveLength(4);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual(kept);
  });

  test('removes the bytes of an earlier request whose manifest is removed already', async () => {
    const { id, fencingToken } = await uploadIn(janitor.records, 'completed');
    await janitor.storedUpload(id, { fencingToken });
    const kept = janitor.files();
    await janitor.put(originalKey(id, randomUUID()));
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual(kept);
  });

  test('leaves young bytes without record and manifest, also of several requests', async () => {
    const id = randomUUID();
    for (let request = 0; request < 2; request += 1) await janitor.put(originalKey(id, randomUUID()));
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.files()).toHaveLength(2);
  });

  test('restores a record with a version that no client can have seen', async () => {
    const { id } = await janitor.storedUpload();
    await reconcileStorage(janitor.parts(), NEVER);
    const { version = 0 } = (await janitor.records.read(id))?.record ?? {};
    expect(version).toBeGreaterThan(1_000_000);
    expect(applied(await janitor.records.begin(id)).version).toBe(version + 1);
  });

  test('restores an upload whose record was lost before the sweep handled it as due', async () => {
    const { id } = await janitor.storedUpload();
    const due = overriding(janitor.sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) });
    await handleDueUploads({ ...janitor.parts(), sets: due }, NEVER);
    expect(janitor.files()).toHaveLength(2);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.permits).toEqual([OTHER_KIND]);
    expect(await janitor.stateOf(id)).toBe('queued');
  });

  test('runs again after a restart of Redis, which may have lost its last changes', async () => {
    await reconcileStorage(janitor.parts(), NEVER);
    const { id } = await janitor.storedUpload();
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.permits).toEqual([]);
    await janitor.connection.set(janitor.keys.reconciled, 'the run of a server that is no more', 'PX', 60_000);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.permits).toEqual([OTHER_KIND]);
    expect(await janitor.stateOf(id)).toBe('queued');
  });

  test('runs again within a minute only if it has found files that are too young to remove', async () => {
    const validMs = async () => await janitor.connection.pttl(janitor.keys.reconciled);
    const known = await uploadIn(janitor.records, 'completed');
    await janitor.put(originalKey(known.id, known.fencingToken));
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await validMs()).toBeGreaterThan(60_000);
    await janitor.connection.del(janitor.keys.reconciled);
    await janitor.put(originalKey(randomUUID(), randomUUID()));
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await validMs()).toBeLessThanOrEqual(60_000);
  });

  test('removes old files without record and manifest, and keeps young ones', async () => {
    const orphan = randomUUID();
    await janitor.put(originalKey(orphan, randomUUID()));
    await janitor.put(variantKey(orphan, 1, '160', 'jpeg'));
    await janitor.age(120_000);
    const young = originalKey(randomUUID(), randomUUID());
    await janitor.put(young);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual([young]);
  });

  test('removes an unfinished file after a minute if it has no record or its upload has ended', async () => {
    const { records } = janitor;
    const partOf = (id: string) => `${originalKey(id, randomUUID())}.${'0'.repeat(12)}.part`;
    const open = await Promise.all(
      (['receiving', 'queued', 'processing'] as const).map((state) => uploadIn(records, state)),
    );
    const ended = await Promise.all(
      (['completed', 'failed', 'cancelled'] as const).map((state) => uploadIn(records, state)),
    );
    const kept = open.map(({ id }) => partOf(id));
    const doomed = [randomUUID(), ...ended.map(({ id }) => id)].map(partOf);
    for (const path of [...kept, ...doomed]) await janitor.put(path);
    await janitor.age(120_000);
    const young = [randomUUID(), ended[0]?.id ?? ''].map(partOf);
    for (const path of young) await janitor.put(path);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(janitor.files().toSorted()).toEqual([...kept, ...young].toSorted());
  });

  test('restores nothing from a manifest that cannot be read', async () => {
    const id = randomUUID();
    for (const text of ['', '{', '{}', JSON.stringify({ id: 'other' })]) {
      await putObject(janitor.storage, manifestKey(id, randomUUID()), Buffer.from(text));
      await janitor.connection.del(janitor.keys.reconciled);
      await reconcileStorage(janitor.parts(), NEVER);
    }
    expect([await janitor.stateOf(id), janitor.permits]).toEqual([undefined, []]);
  });

  test('restores the last of several requests, for any order and times of their files', async () => {
    const id = randomUUID();
    const createdAt = new Date(60_000).toISOString();
    const last = await janitor.storedUpload(id, { createdAt, sequence: 2 });
    await janitor.age(60_000);
    await janitor.storedUpload(id, { createdAt, sequence: 1 });
    await janitor.storedUpload(id, { sequence: 9 });
    await janitor.storedUpload(id, { createdAt });
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await janitor.records.read(id))?.record.fencingToken).toBe(last.fencingToken);
  });

  test('restores all others and removes nothing if a record cannot be read', async () => {
    const [damaged, lost] = [await janitor.storedUpload(), await janitor.storedUpload()];
    await janitor.age(120_000);
    await janitor.connection.hset(janitor.keys.record(damaged.id), 'state', 'nonsense');
    const before = janitor.files();
    await reconcileStorage(janitor.parts(), NEVER);
    expect([janitor.permits, await janitor.stateOf(lost.id), janitor.files()]).toEqual([
      [OTHER_KIND],
      'queued',
      before,
    ]);
  });

  test('restores and removes all others if a file of one upload cannot be used', async () => {
    const uploads = [await janitor.storedUpload(), await janitor.storedUpload()];
    const orphans = [originalKey(randomUUID(), randomUUID()), originalKey(randomUUID(), randomUUID())];
    for (const key of orphans) await janitor.put(key);
    await janitor.age(120_000);
    const [bad, good] = [orphans[0] ?? '', uploads[1]?.id ?? ''];
    const foreign = async (key: string): Promise<void> => {
      const isBad = key === bad || key.includes(uploads[0]?.id ?? '');
      if (isBad) throw storageUnavailable(Object.assign(new Error('not yours'), { code: 'EACCES' }));
    };
    const { storage } = janitor;
    const parts = {
      ...janitor.parts(),
      storage: overriding(storage, {
        read: async (key, range) => await foreign(key).then(() => storage.read(key, range)),
        remove: async (key) => await foreign(key).then(() => storage.remove(key)),
      }),
    };
    await reconcileStorage(parts, NEVER);
    expect([await janitor.stateOf(good), janitor.permits.length]).toEqual(['queued', 1]);
    expect(orphans.map((key) => janitor.files().includes(key))).toEqual([true, false]);
    expect(await janitor.sets.reconciliationDue()).toBeUndefined();
  });

  test('ends if the storage is away, and stays due', async () => {
    await janitor.storedUpload();
    const away = async () => await Promise.reject(storageUnavailable(new Error('away')));
    const storage = overriding(janitor.storage, { read: away });
    await expect(reconcileStorage({ ...janitor.parts(), storage }, NEVER)).rejects.toThrow('storage');
    expect(await janitor.sets.reconciliationDue()).toBeDefined();
  });

  test('restores an accepted upload of which Redis has only an earlier, failed state', async () => {
    const { id } = await uploadIn(janitor.records, 'failed');
    const failed = (await janitor.records.read(id))?.record;
    const createdAt = new Date(failed?.createdAtMs ?? 0).toISOString();
    const accepted = await janitor.storedUpload(id, { createdAt, sequence: (failed?.version ?? 0) + 1 });
    await reconcileStorage(janitor.parts(), NEVER);
    const restored = (await janitor.records.read(id))?.record;
    expect(restored).toMatchObject({
      state: 'queued',
      error: null,
      fencingToken: accepted.fencingToken,
      expiresAtMs: null,
    });
    expect(restored?.version).toBeGreaterThan(failed?.version ?? 0);
    expect(await janitor.connection.pttl(janitor.keys.record(id))).toBe(-1);
  });

  test('keeps the files of an accepted upload of which Redis knows only an earlier request', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    const before = (await records.read(upload.id))?.record;
    const createdAt = new Date(before?.createdAtMs ?? 0).toISOString();
    for (const bytes of [100, 200, 300]) await records.receive(upload.id, upload.fencingToken, bytes, 1000);
    await janitor.put(originalKey(upload.id, upload.fencingToken));
    const later = await janitor.storedUpload(upload.id, { createdAt, sequence: (before?.version ?? 0) + 1 });
    await reconcileStorage(janitor.parts(records), NEVER);
    expect(janitor.files().length).toBe(3);
    await handleDueUploads(janitor.parts(records), NEVER);
    expect((await records.read(upload.id))?.record).toMatchObject({
      state: 'queued',
      fencingToken: later.fencingToken,
    });
    expect(janitor.files().length).toBe(2);
  });

  test.each<[string, UploadState, number]>([
    ['a failure after the manifest of its request was written', 'failed', 0],
    ['a cancellation after the manifest was written', 'cancelled', 0],
    ['a completed upload', 'completed', 1],
  ])('leaves %s as it is', async (_name, state, ahead) => {
    const { id } = await uploadIn(janitor.records, state);
    const before = (await janitor.records.read(id))?.record;
    const createdAt = new Date(before?.createdAtMs ?? 0).toISOString();
    const ofItsRequest = state === 'failed' ? { fencingToken: before?.fencingToken ?? '' } : {};
    await janitor.storedUpload(id, { createdAt, sequence: (before?.version ?? 0) + ahead, ...ofItsRequest });
    await reconcileStorage(janitor.parts(), NEVER);
    expect([(await janitor.records.read(id))?.record, janitor.permits]).toEqual([before, []]);
  });

  test('compares manifests of earlier releases by the time of their file', async () => {
    const id = randomUUID();
    await janitor.storedUpload(id);
    await janitor.age(10_000);
    const last = await janitor.storedUpload(id);
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await janitor.records.read(id))?.record.fencingToken).toBe(last.fencingToken);
  });

  test('does not touch files of other programs, and restores every upload beside them', async () => {
    const ids = await Promise.all(
      ['00', '99', 'ff'].map(async (shard) => (await janitor.storedUpload(idIn(shard))).id),
    );
    const foreign = [
      '.fseventsd/a b',
      'my photo.jpg',
      'al/alice/letter.odt',
      'en/en/x.json',
      'Downloads/film.mkv.part',
    ];
    for (const path of foreign) await writeForeign(path);
    await janitor.age(25 * 3_600_000);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await Promise.all(ids.map((id) => janitor.stateOf(id)))).toEqual(ids.map(() => 'queued'));
    expect(janitor.permits).toHaveLength(3);
    expect(janitor.files()).toEqual(expect.arrayContaining(foreign));
    expect(await janitor.sets.reconciliationDue()).toBeUndefined();
  });

  test('logs every file that it removes', async () => {
    const orphan = randomUUID();
    const fencingToken = randomUUID();
    await janitor.put(originalKey(orphan, fencingToken));
    await writeForeign(`${originalKey(orphan, fencingToken)}.0123456789ab.part`);
    await janitor.age(25 * 3_600_000);
    const lines: object[] = [];
    const log = overriding(silentLog, { info: (line: object) => void lines.push(line) });
    await reconcileStorage({ ...janitor.parts(), log }, NEVER);
    expect([lines, janitor.files()]).toEqual([
      [
        {
          upload: uploadRef(orphan),
          removed: 1,
          files: [`${fencingToken}.original`],
          reason: 'no record and no manifest',
        },
        { upload: uploadRef(orphan), removed: 1, files: [`${fencingToken}.original`], reason: 'unfinished' },
        { restored: 0, removed: 1, unfinished: 1 },
      ],
      [],
    ]);
  });

  test('removes nothing if it would remove an unusual number of uploads, unless that is allowed once', async () => {
    const removed = async () => {
      const before = janitor.files().length;
      await reconcileStorage(janitor.parts(), NEVER);
      return before - janitor.files().length;
    };
    for (let index = 0; index < 101; index++) await janitor.put(originalKey(randomUUID(), randomUUID()));
    await janitor.age(25 * 3_600_000);
    const errors: unknown[] = [];
    const log = overriding(silentLog, { error: (line: object) => void errors.push(line) });
    await reconcileStorage({ ...janitor.parts(), log }, NEVER);
    expect([errors, janitor.files().length]).toEqual([
      [{ wouldRemove: 101, seen: 101, advice: expect.stringContaining('docs/storage.md') }],
      101,
    ]);
    expect(await removed()).toBe(0);
    await janitor.connection.set(janitor.keys.removalPermit, '100');
    expect(await removed()).toBe(0);
    await janitor.connection.set(janitor.keys.removalPermit, '101');
    expect(await removed()).toBe(101);
    expect(await janitor.connection.exists(janitor.keys.removalPermit)).toBe(0);
  });
});

/** Returns an id whose files lie in the folder `shard`. */
function idIn(shard: string): string {
  return `${shard}${randomUUID().slice(2)}`;
}

async function writeForeign(path: string): Promise<void> {
  await mkdir(dirname(join(janitor.directory, path)), { recursive: true });
  await writeFile(join(janitor.directory, path), 'x');
}
