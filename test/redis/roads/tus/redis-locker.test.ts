import { expect, test } from '@jest/globals';
import type { Lock } from '@tus/server';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../../../../src/errors.ts';
import { RedisLocker, type LockerParts } from '../../../../src/roads/tus/redis-locker.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { silentLog, type RecordSpace } from '../../../helpers/record-space.ts';
import { useRecords } from '../../../helpers/use-records.ts';
import { codeOf } from '../../../helpers/fake-request.ts';

const ID = 'an-upload';
const NEVER = new AbortController().signal;

let space: RecordSpace;

useRecords('test', (opened) => (space = opened));

function newLock(parts: Partial<LockerParts> = {}, gone = NEVER): Lock {
  return new RedisLocker({ store: space.store, keys: space.keys, log: silentLog, ...parts }, gone).newLock(ID);
}

async function take(lock = newLock(), onWanted = (): void => undefined): Promise<Lock> {
  await lock.lock(NEVER, onWanted);
  return lock;
}

/** Returns the commands of a lock, and a count of them. */
function counting() {
  let count = 0;
  const store: LockerParts['store'] = {
    async runScript(...args) {
      const reply = await space.store.runScript(...args);
      count += 1;
      return reply;
    },
  };
  return { store, count: () => count };
}

const holder = async (): Promise<string | null> => await space.connection.get(space.keys.uploadLock(ID));

test('the lock goes to the next one when it is released, and leaves no key', async () => {
  const first = await take();
  let isTaken = false;
  const tries = counting();
  const second = take(newLock(tries)).then((lock) => ((isTaken = true), lock));
  await eventually('three tries', () => tries.count() >= 3);
  expect(isTaken).toBe(false);
  await first.unlock();
  await (await second).unlock();
  expect([await holder(), await space.connection.exists(space.keys.uploadLockWanted(ID))]).toEqual([null, 0]);
});

test('a holder is notified that another one waits, and not by its own request', async () => {
  let wanted = 0;
  const signs = counting();
  const first = await take(newLock(signs), () => void (wanted += 1));
  await eventually('two signs of life after it was taken', () => signs.count() >= 3);
  expect(wanted).toBe(0);
  const second = take();
  await eventually('the wish', () => wanted > 0);
  await first.unlock();
  await (await second).unlock();
});

test('many requests at the same time get the lock one after the other', async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const lock = await take();
      most = Math.max(most, ++inside);
      await delay(5);
      inside -= 1;
      await lock.unlock();
    }),
  );
  expect(most).toBe(1);
});

test('a living holder keeps the lock, and is notified if another one has taken it', async () => {
  let lost = 0;
  const slept = await take(newLock(), () => void (lost += 1));
  const key = space.keys.uploadLock(ID);
  await space.connection.pexpire(key, 3000);
  await eventually('it to be kept for longer', async () => (await space.connection.pttl(key)) > 3000);
  // The holder changes in one step. Between a removal and the new holder, this one would take the lock again.
  await space.connection.set(key, 'another', 'PX', 600_000);
  await eventually('the loss', () => lost > 0);
  await slept.unlock();
  expect(await holder()).toBe('another');
});

test('an expired lock is taken again by its holder if nobody else has taken it', async () => {
  const lock = await take();
  await space.connection.del(space.keys.uploadLock(ID));
  await eventually('the lock', async () => (await holder()) !== null);
  await lock.unlock();
  expect(await holder()).toBeNull();
});

test('a request that is gone or was asked to end waits no longer', async () => {
  const lock = await take();
  const gone = new AbortController();
  const waiting = codeOf(newLock({}, gone.signal).lock(NEVER, () => undefined));
  gone.abort();
  expect([await waiting, await codeOf(newLock().lock(AbortSignal.abort(), () => undefined))]).toEqual([
    'upload_locked',
    'upload_locked',
  ]);
  await lock.unlock();
});

test('without Redis the lock cannot be taken, and releasing it is no error', async () => {
  let isAway = false;
  const store: LockerParts['store'] = {
    async runScript(...args) {
      if (isAway) throw new ServiceError('service_unavailable', 'Away.');
      return await space.store.runScript(...args);
    },
  };
  const lock = await take(newLock({ store }));
  isAway = true;
  expect(await codeOf(newLock({ store }).lock(NEVER, () => undefined))).toBe('service_unavailable');
  await lock.unlock();
});

test('a lost reply does not lock out its own sender', async () => {
  let losses = 1;
  const store: LockerParts['store'] = {
    async runScript(...args) {
      const reply = await space.store.runScript(...args);
      return losses-- > 0 ? 'wait' : reply;
    },
  };
  await (await take(newLock({ store }))).unlock();
  expect(await holder()).toBeNull();
});
