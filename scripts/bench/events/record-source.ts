import { pino } from 'pino';
import { recordOptions } from '../../../src/record/record-change.ts';
import { UploadRecords } from '../../../src/record/record.ts';
import { openCommandConnection, RedisRecordStore } from '../../../src/queue/connection.ts';
import { queueKeys } from '../../../src/queue/contract.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import { forEachSlot, type EventSource } from './event-source.ts';

/** The step of the fraction. It is so small that the fraction does not reach 1 in the longest benchmark. */
const FRACTION_STEP = 1e-4;
const FENCING_TOKEN = 'bench';

/**
 * Opens the events of the service: uploads that a worker processes and whose records it advances. `settings` are those
 * of the service.
 */
export async function openRecordSource(
  redisUrl: string,
  ids: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<EventSource> {
  const config = loadConfig(settings);
  const connection = openCommandConnection(redisUrl, pino({ level: 'silent' }));
  await new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  const records = new UploadRecords(
    new RedisRecordStore(connection),
    queueKeys(config.queuePrefix),
    recordOptions(config),
  );
  const versions: number[] = [];
  const sequences = ids.map(() => 0);
  const attempt = 1;
  await forEachSlot(ids.length, async (slot) => {
    versions[slot] = await beginWork(records, ids[slot] ?? '');
  });
  return {
    ready: () => Promise.resolve([...versions]),
    fire(slot) {
      const sequence = (sequences[slot] = (sequences[slot] ?? 0) + 1);
      const done = records
        .advance(ids[slot] ?? '', attempt, sequence, 'variants', sequence * FRACTION_STEP)
        .then((outcome) => {
          if (!outcome.applied) throw new Error(`an event was refused: ${outcome.rejection}`);
        });
      const version = (versions[slot] = (versions[slot] ?? 0) + 1);
      return { version, done };
    },
  };
}

/** Brings an upload to the state in which a worker reports progress, by the same changes as in the service. */
async function beginWork(records: UploadRecords, id: string): Promise<number> {
  await records.open({ id, fencingToken: FENCING_TOKEN, fileName: 'photo.jpg', totalBytes: 3_000_000 });
  await records.enqueue(id, FENCING_TOKEN, {
    type: 'image/jpeg',
    sizeBytes: 3_000_000,
    sha256: '0'.repeat(64),
    options: {},
  });
  const begun = await records.begin(id);
  if (!begun.applied) throw new Error(`an upload could not be prepared: ${begun.rejection}`);
  return begun.version;
}
