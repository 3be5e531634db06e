import { ConfigError, loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { UploadRecords } from '../src/progress/record.ts';
import { closeConnection, DEFAULT_REDIS_URL, openWaitingConnection, RedisRecordStore } from '../src/queue/connection.ts';
import { queueKeys } from '../src/queue/contract.ts';
import { UploadQueue } from '../src/queue/upload-queue.ts';
import { UploadSets } from '../src/queue/upload-sets.ts';
import { closeOnSignal, exitWithLine } from '../src/shutdown.ts';
import { openStorage } from '../src/storage/open-storage.ts';
import { createProcessors } from './processors.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { UploadWorker } from './worker.ts';

/** Closing takes the grace for work in hand and a little more. */
const CLOSE_MARGIN_MS = 3_000;

/** A worker process: builds, wires and starts in one order, and closes in the reverse. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLog('worker', config);
  const keys = queueKeys(config.queuePrefix);
  const url = config.redisUrl ?? DEFAULT_REDIS_URL;
  const connection = openWaitingConnection(url, log);
  const calls = connection.duplicate();
  calls.on('error', (error: Error) => log.debug({ reason: error.message }, 'call connection'));
  const records = new UploadRecords(new RedisRecordStore(connection), keys, { retentionMs: config.retentionMs, silenceMs: config.uploadSilenceMs });
  const queue = new UploadQueue(connection, keys, log);
  const storage = await openStorage(config);
  const processors = createProcessors(config);
  const worker = new UploadWorker({ connection, keys, queue, records, storage, processors, log, concurrency: config.workerConcurrency });
  const sets = new UploadSets(connection, keys);
  const sweeper = new Sweeper({ connection, keys, queue, records, sets, storage, log, periodMs: config.sweepPeriodMs });

  closeOnSignal(log, config.shutdownGraceMs + CLOSE_MARGIN_MS, async () => {
    await sweeper.close();
    await worker.close(config.shutdownGraceMs);
    await queue.close();
    calls.disconnect();
    await closeConnection(connection);
    await storage.close?.();
  });

  calls.on('message', (_channel, id: string) => worker.cancel(id));
  await calls.subscribe(keys.cancelChannel);
  await worker.ready();
  await sweeper.start();
  log.info('ready');
  process.send?.({ type: 'ready' });
}

main().catch((error: unknown) => exitWithLine(error, error instanceof ConfigError ? ConfigError.exitCode : 1));
