import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../../src/settings/config.ts';
import { Installation } from '../../../src/storage/installation.ts';
import { MARKER_KEY } from '../../../src/storage/keys.ts';
import { markerBytes, readMarker } from '../../../src/storage/marker.ts';
import { putObject, type Storage } from '../../../src/storage/storage.ts';
import { FakeKeptId } from '../../helpers/fake-kept-id.ts';
import { overriding } from '../../helpers/overriding.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { uploadKeys } from '../../helpers/upload-keys.ts';

const OTHER = '11111111-1111-4111-8111-111111111111';

let temp: TempStorage;
let kept: FakeKeptId;

beforeEach(async () => {
  temp = await openTempStorage();
  kept = new FakeKeptId();
});
afterEach(async () => {
  await temp.remove();
});

interface Given {
  queuePrefix?: string;
  adopt?: string;
  storage?: Storage;
  errors?: unknown[];
}

function installation({ queuePrefix = 'one', adopt, storage = temp.storage, errors = [] }: Given = {}): Installation {
  const log = overriding(silentLog, { error: (line: unknown) => void errors.push(line) });
  return new Installation({ storage, kept, queuePrefix, adopt, log });
}

async function markerId(): Promise<string | undefined> {
  const marker = await readMarker(temp.storage);
  return typeof marker === 'object' ? marker.id : marker;
}

const put = async (key: string) => await putObject(temp.storage, key, Buffer.from('x'));
const refusal = async (opened: Installation) => String(await opened.open().catch((error: unknown) => error));

describe('a start', () => {
  test('writes one id into a new storage and an empty Redis, even if several processes start at once', async () => {
    await Promise.all(Array.from({ length: 5 }, async () => await installation().open()));
    expect(await markerId()).toEqual(expect.any(String));
    expect(kept.id).toBe(await markerId());
    await installation().open();
  });

  test('adopts the files of an earlier version and ignores hidden names and lost+found', async () => {
    for (const key of [uploadKeys(1).original, uploadKeys(2, 'cd').variant(), '.DS_Store', '.fseventsd/x'])
      await put(key);
    await installation().open();
    expect(kept.id).toBe(await markerId());
  });

  test('adopts a storage with the same prefix if Redis is empty', async () => {
    await installation().open();
    const id = kept.id;
    kept = new FakeKeptId();
    await installation().open();
    expect(kept.id).toBe(id);
  });

  test('rejects another prefix and names the value of STORAGE_ADOPT', async () => {
    await installation().open();
    const id = kept.id ?? '';
    kept = new FakeKeptId();
    const opening = installation({ queuePrefix: 'staging' }).open();
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.toThrow(`STORAGE_ADOPT=${id}`);
    expect(kept.id).toBeUndefined();
    await expect(installation({ queuePrefix: 'staging', adopt: OTHER }).open()).rejects.toBeInstanceOf(ConfigError);
    await installation({ queuePrefix: 'staging', adopt: id }).open();
    expect(kept.id).toBe(id);
    await installation({ queuePrefix: 'staging' }).open();
    kept = new FakeKeptId();
    await installation({ queuePrefix: 'staging' }).open();
  });

  test('rejects a Redis of another installation', async () => {
    await installation().open();
    const id = kept.id ?? '';
    kept.id = OTHER;
    expect(await refusal(installation())).toMatch(new RegExp(`belongs to installation ${id} .* belongs to .*${OTHER}`));
    await installation({ adopt: id }).open();
    expect(kept.id).toBe(id);
  });

  test('rejects a storage without the marker that Redis expects', async () => {
    kept.id = OTHER;
    expect(await refusal(installation())).toContain(`is its disk mounted? If this storage replaces`);
    expect(temp.files()).toEqual([]);
    await installation({ adopt: OTHER }).open();
    expect([kept.id, await markerId()]).toEqual([OTHER, OTHER]);
  });

  test.each(['letter.odt', 'al/alice/letter.odt', 'de/de-DE/strings.json', 'Downloads/film.mkv.part'])(
    'rejects a directory with %s and no marker, and accepts it with STORAGE_ADOPT=new',
    async (key) => {
      await put(key);
      await put(uploadKeys(1).original);
      const line = await refusal(installation());
      expect(line).toMatch(/^Error: STORAGE contains files of another service, such as "[^\n]*STORAGE_ADOPT=new$/);
      expect([kept.id, temp.files().includes(MARKER_KEY)]).toEqual([undefined, false]);
      await installation({ adopt: 'new' }).open();
      await installation().open();
    },
  );

  test('rejects a damaged marker', async () => {
    for (const text of ['', '{}', markerBytes(OTHER, 'one').toString().replace('"format":1', '"format":2')]) {
      await putObject(temp.storage, MARKER_KEY, Buffer.from(text));
      expect(await refusal(installation())).toContain('is damaged');
    }
  });
});

describe('a running process', () => {
  test('writes its id into a Redis that was emptied', async () => {
    const running = installation();
    await running.open();
    kept.id = undefined;
    await running.verify();
    expect(kept.id).toBe(await markerId());
  });

  test('rejects uploads while Redis belongs to another installation, and logs this once', async () => {
    const errors: unknown[] = [];
    const running = installation({ errors });
    await running.open();
    const id = kept.id;
    kept.id = OTHER;
    for (let time = 0; time < 3; time++)
      await expect(running.verify()).rejects.toMatchObject({ code: 'storage_unavailable', status: 503 });
    expect(() => running.assertPaired()).toThrow();
    expect(errors).toHaveLength(1);
    kept.id = id;
    await running.verify();
    running.assertPaired();
  });

  test('detects that its disk is no longer mounted', async () => {
    const running = installation();
    await running.open();
    await rm(join(temp.directory, MARKER_KEY));
    await expect(running.verify()).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  test('reports the error of a failing storage, not a missing marker', async () => {
    const failing = overriding<Storage>(temp.storage, { read: async () => await Promise.reject(new Error('EIO')) });
    const running = installation({ storage: failing });
    await expect(running.verify()).rejects.toThrow('EIO');
    running.assertPaired();
  });
});
