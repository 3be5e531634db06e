import { randomUUID } from 'node:crypto';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Queue } from 'bullmq';
import { pino } from 'pino';
import { loadConfig } from '../../../../src/settings/config.ts';
import { recordOptions } from '../../../../src/record/record-change.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { openCommandConnection, RedisRecordStore } from '../../../../src/queue/connection.ts';
import { QUEUE_NAME, queueKeys } from '../../../../src/queue/contract.ts';
import { UploadQueue } from '../../../../src/queue/upload-queue.ts';
import { originalKey } from '../../../../src/storage/keys.ts';
import { eventually } from '../../../../test/helpers/eventually.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { eachAtOnce } from '../../lib/at-once.ts';
import type { Place, ProducerQuestions } from '../throughput/questions.ts';

const FENCING_TOKEN = 'bench';
const SIZE_BYTES = 1000;
const LIMITS = { capacity: 1_000_000, discards: false, perAddress: 0 };
const AT_ONCE = 50;
const FINISH_WITHIN_MS = 60_000;

let parts: Parts | undefined;
let ids: string[] = [];

/**
 * Sends the Redis commands of an API process for each upload, without HTTP and storage. The files exist before.
 */
serveQuestions<ProducerQuestions>({
  async open(place) {
    parts = await openParts(place);
  },
  async prepare(count) {
    const { directory } = opened();
    // One file for each call, because ext4 allows 65,000 links to a file.
    const file = join(directory, `file-${randomUUID()}`);
    await writeFile(file, Buffer.alloc(SIZE_BYTES));
    ids = Array.from({ length: count }, () => randomUUID());
    await eachAtOnce(count, AT_ONCE, async (index) => {
      const path = join(directory, originalKey(ids[index] ?? '', FENCING_TOKEN));
      await mkdir(dirname(path), { recursive: true });
      await link(file, path);
    });
  },
  async add({ count, atOnce }) {
    const startedAtMs = Date.now();
    await eachAtOnce(count, atOnce, (index) => add(ids[index] ?? ''));
    return startedAtMs;
  },
  async finished() {
    const { bull, records } = opened();
    await eventually(
      'the queue to be empty',
      async () => (await bull.count()) + (await bull.getActiveCount()) === 0,
      FINISH_WITHIN_MS,
    );
    let lastAtMs = 0;
    await eachAtOnce(ids.length, AT_ONCE, async (index) => {
      const state = (await records.readProgress(ids[index] ?? ''))?.state;
      if (state?.state !== 'completed') throw new Error(`an upload is ${state?.state ?? 'gone'}`);
      lastAtMs = Math.max(lastAtMs, state.updatedAtMs);
    });
    return lastAtMs;
  },
  workers: () => opened().bull.getWorkersCount(),
  pause: () => opened().bull.pause(),
  async resume() {
    const atMs = Date.now();
    await opened().bull.resume();
    return atMs;
  },
  ...OWN_USAGE,
});

interface Parts {
  directory: string;
  records: UploadRecords;
  queue: UploadQueue;
  bull: Queue;
}

async function openParts({ redisUrl, directory }: Place): Promise<Parts> {
  const config = loadConfig({});
  const log = pino({ level: 'silent' });
  const connection = openCommandConnection(redisUrl, log);
  await new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  const keys = queueKeys(config.queuePrefix);
  return {
    directory,
    records: new UploadRecords(new RedisRecordStore(connection), keys, recordOptions(config)),
    queue: new UploadQueue(connection, keys, log),
    bull: new Queue(QUEUE_NAME, { connection, prefix: keys.bullPrefix }),
  };
}

function opened(): Parts {
  if (parts === undefined) throw new Error('nothing is open');
  return parts;
}

async function add(id: string): Promise<void> {
  const { records, queue } = opened();
  await records.open({ id, fencingToken: FENCING_TOKEN, fileName: 'photo.jpg', totalBytes: SIZE_BYTES }, LIMITS);
  const stored = { type: 'image/jpeg', sizeBytes: SIZE_BYTES, sha256: '0'.repeat(64), options: {} };
  const queued = await records.enqueue(id, FENCING_TOKEN, stored, LIMITS);
  if (!queued.applied) throw new Error(`an upload was refused: ${queued.rejection}`);
  if (queued.permitFor !== undefined) await queue.add(queued.permitFor);
}
