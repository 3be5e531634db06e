import '../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredVariant } from '../../../src/record/record-fields.ts';
import { attemptPrefix } from '../../../src/storage/keys.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { createPublisher, type Publisher } from '../../../workers/publisher.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { ID, recordOf } from '../record/states.ts';

const FILE = { name: 'rows.jsonl', format: 'jsonl', type: 'application/jsonl' };

let temp: TempStorage;
let controller: AbortController;
let announced: StoredVariant[];

beforeEach(async () => {
  temp = await openTempStorage();
  controller = new AbortController();
  announced = [];
});
afterEach(async () => {
  await temp.remove();
});

function publisher(storage: Storage = temp.storage): Publisher {
  return createPublisher({ storage }, recordOf({ attempt: 3 }), controller.signal, (file) => announced.push(file));
}

async function* chunksOf(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describe('a file that is published while it is made', () => {
  test('is complete below the path of its attempt, and then announced', async () => {
    const file = await publisher().publishFile(FILE, chunksOf('{"a":1}\n', '{"a":2}\n'));
    const key = `${attemptPrefix(ID, 3)}/rows.jsonl`;
    expect(file).toEqual({ size: 16, url: '/variants/public/rows.jsonl' });
    expect((await readFile(join(temp.directory, key))).toString()).toBe('{"a":1}\n{"a":2}\n');
    const sha256 = createHash('sha256').update('{"a":1}\n{"a":2}\n').digest('hex');
    expect(announced).toEqual([{ ...FILE, ...file, key, sha256, isAttachment: true }]);
  });

  test('may be empty', async () => {
    expect(await publisher().publishFile(FILE, chunksOf())).toMatchObject({ size: 0 });
    expect(temp.files()).toEqual([`${attemptPrefix(ID, 3)}/rows.jsonl`]);
  });

  test('leaves nothing if its producer fails', async () => {
    const fault = new Error('line 2');
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(3_000_000);
      throw fault;
    }
    await expect(publisher().publishFile(FILE, failing())).rejects.toBe(fault);
    expect([temp.files(), announced]).toEqual([[], []]);
  });

  test('leaves nothing if the disk fails, and ends its producer', async () => {
    const full = new Error('disk full');
    let hasEnded = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        while (true) yield Buffer.alloc(10);
      } finally {
        hasEnded = true;
      }
    }
    const storage = Object.assign(Object.create(temp.storage) as Storage, {
      create: async (key: string) =>
        Object.assign(await temp.storage.create(key), { write: async () => await Promise.reject<void>(full) }),
    });
    await expect(publisher(storage).publishFile(FILE, endless())).rejects.toBe(full);
    expect([hasEnded, temp.files(), announced]).toEqual([true, [], []]);
  });

  test('leaves nothing if the upload is cancelled meanwhile', async () => {
    const reason = new Error('cancelled');
    async function* cancelled(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      controller.abort(reason);
      yield Buffer.from('b');
    }
    await expect(publisher().publishFile(FILE, cancelled())).rejects.toBe(reason);
    expect([temp.files(), announced]).toEqual([[], []]);
  });
});
