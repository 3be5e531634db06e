import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Job } from 'bullmq';
import { closeConnection, openWaitingConnection, type Redis } from '../../../src/queue/connection.ts';
import { UploadQueue } from '../../../src/queue/upload-queue.ts';
import { PermitLoop, type HeldPermit } from '../../../workers/permit-loop.ts';
import { WORKER_TIMING } from '../../../workers/worker-timing.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openRecordSpace, silentLog, type RecordSpace } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

let space: RecordSpace;
let connection: Redis;
let queue: UploadQueue;
const loops: PermitLoop[] = [];
let held: Use[];

/** A permit that a loop uses until `end` is called. */
interface Use {
  loop: string;
  permit: HeldPermit;
  end(outcome?: 'used' | 'back'): void;
}

beforeEach(async () => {
  space = await openRecordSpace(await sharedRedis());
  connection = openWaitingConnection(await sharedRedis(), silentLog);
  queue = new UploadQueue(connection, space.keys, silentLog);
  await space.connection.sadd(space.keys.kinds, 'picture', 'table', 'film');
  held = [];
});
afterEach(async () => {
  const closing = loops.splice(0).map((loop) => loop.close());
  for (const use of held) use.end();
  await Promise.all(closing);
  await queue.close();
  await closeConnection(connection);
  await space.close();
});

async function startLoop(kinds: readonly string[], concurrency: number, loop = 'one'): Promise<PermitLoop> {
  const started = new PermitLoop({
    connection,
    keys: space.keys,
    kinds,
    concurrency,
    timing: WORKER_TIMING,
    run: async (permit) =>
      await new Promise((resolve) => held.push({ loop, permit, end: (out = 'used') => resolve(out) })),
    onLocksLost: () => undefined,
    log: silentLog,
  });
  loops.push(started);
  await started.start();
  return started;
}

async function nextUse(number: number): Promise<Use> {
  return await eventually(`use ${number}`, () => held[number - 1]);
}

describe('the loop of permits', () => {
  test('takes the kinds in turn, one permit at a time with one slot', async () => {
    await queue.addMany('picture', 3);
    await queue.addMany('table', 2);
    await startLoop(['picture', 'table'], 1);
    for (let number = 1; number <= 5; number++) {
      const use = await nextUse(number);
      expect(held).toHaveLength(number);
      use.end();
    }
    expect(held.map(({ permit }) => permit.kind)).toEqual(['picture', 'table', 'picture', 'table', 'picture']);
    await eventually('no permit to be left', async () => (await queue.counts()).active === 0);
  });

  test('takes the next permit while the used one is removed, but ends only after that', async () => {
    let remove: (value: undefined) => void = () => undefined;
    const removal = jest
      .spyOn(Job.prototype, 'moveToCompleted')
      .mockReturnValueOnce(new Promise((resolve) => (remove = resolve)));
    try {
      await queue.addMany('picture', 2);
      const loop = await startLoop(['picture'], 1);
      (await nextUse(1)).end();
      (await nextUse(2)).end();
      let isClosed = false;
      const closing = loop.close().then(() => (isClosed = true));
      await eventually('the second permit to be removed', async () => (await queue.counts()).active === 1);
      expect(isClosed).toBe(false);
      remove(undefined);
      await closing;
    } finally {
      removal.mockRestore();
    }
  });

  test('leaves permits of other kinds to other workers', async () => {
    await startLoop(['picture'], 2);
    await queue.add('film');
    await queue.add('picture');
    expect((await nextUse(1)).permit.kind).toBe('picture');
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 1 });
  });

  test('puts back a permit that arrives while all slots are in use, and another worker uses it', async () => {
    await startLoop(['picture', 'table'], 1);
    await queue.add('picture');
    await nextUse(1);
    await queue.add('table');
    await startLoop(['table'], 1, 'two');
    expect(await nextUse(2)).toMatchObject({ loop: 'two', permit: { kind: 'table' } });
  });

  test('puts back a permit whose upload was requeued, and takes it again', async () => {
    await startLoop(['picture'], 1);
    await queue.add('picture');
    const first = await nextUse(1);
    first.end('back');
    expect((await nextUse(2)).permit.id).toBe(first.permit.id);
  });

  test('takes no permits while it is paused, until all parts that paused it have resumed it', async () => {
    const loop = await startLoop(['picture'], 1);
    loop.pause();
    loop.pause();
    await queue.add('picture');
    loop.resume();
    // The permit may be taken by the wait that had begun before. It is put back then.
    await eventually('the permit to wait', async () => (await queue.counts()).waiting === 1);
    expect(held).toEqual([]);
    loop.resume();
    await nextUse(1);
  });

  test('waits at its end for the permits in use', async () => {
    const loop = await startLoop(['picture', 'table'], 2);
    await queue.add('picture');
    const use = await nextUse(1);
    let isClosed = false;
    const closing = loop.close().then(() => (isClosed = true));
    await queue.add('table');
    expect(isClosed).toBe(false);
    use.end();
    await closing;
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
  });
});
