import type { UploadRecord } from '../../src/record/record-fields.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { putObject, type Storage } from '../../src/storage/storage.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { RetryPause, RunOutcome } from '../../workers/attempt.ts';
import type { RunProcessor } from '../../workers/processors.ts';
import { runUpload } from '../../workers/upload-runner.ts';
import { openRecordSpace, RESULT, silentLog, uploadIn, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';
import { openTempStorage, type TempStorage } from './temp-storage.ts';

/** The parts of a run that a test may replace. */
interface RunChanges {
  runIsolated?: RunProcessor;
  attemptTimeoutMs?: number;
  checkStorage?: () => Promise<void>;
  /** The pause after a fault of the storage or of Redis. Default: the storage is away. */
  pauseMs?: number | undefined;
  storage?: Storage;
  records?: UploadRecords;
}

/** Records on a real Redis and files in a directory, for runs of uploads. */
export interface RunnerSpace extends RecordSpace, TempStorage {
  /** Returns the id of an upload that waits, with its bytes stored. */
  waiting(): Promise<string>;
  /** Runs this upload with a processor of pictures. */
  run(id: string, processor: RunProcessor, controller?: AbortController, changes?: RunChanges): Promise<RunOutcome>;
  recordOf(id: string): Promise<UploadRecord | undefined>;
  /** Returns the paths of the files of all attempts. */
  attemptFiles(): string[];
}

/** A processor that has the result at once. */
export const succeed: RunProcessor = async () => RESULT;

/** The variant that `publishThen` publishes. */
export const made = { name: '160', format: 'jpeg', width: 1, height: 1 };

/** Returns a processor that publishes `made` before it does the same as another one. */
export const publishThen =
  (then: RunProcessor): RunProcessor =>
  async (context, hooks) => {
    await context.publishVariant(made, Buffer.from('small'));
    return await then(context, hooks);
  };

/** Returns the pause of a run that is tried again. Throws for any other outcome. */
export function retryOf(outcome: RunOutcome): RetryPause {
  if (typeof outcome === 'string') throw new Error(`not tried again: ${outcome}`);
  return outcome;
}

/** The runner of processes of their own, for tests in which no upload may need one. */
export const notIsolated: RunProcessor = async () =>
  await Promise.reject<never>(new Error('runs in a process of its own'));

/** Opens the parts. The caller closes them. */
export async function openRunnerSpace(): Promise<RunnerSpace> {
  const [space, temp] = await Promise.all([openRecordSpace(await sharedRedis()), openTempStorage()]);
  return {
    ...space,
    ...temp,
    async waiting() {
      const { id, fencingToken } = await uploadIn(space.records, 'queued');
      await putObject(temp.storage, originalKey(id, fencingToken), Buffer.from('bytes'));
      return id;
    },
    async run(id, processor, controller = new AbortController(), { pauseMs, ...changes } = {}) {
      const processors = {
        find: (type: string) =>
          type === 'image/jpeg' ? { kind: 'picture', types: [type], run: processor } : undefined,
      };
      const parts = {
        records: space.records,
        storage: temp.storage,
        processors,
        runIsolated: notIsolated,
        checkStorage: async () => {},
        noticeDependencyFault: async () => pauseMs,
        attemptTimeoutMs: 60_000,
        abortGraceMs: 5_000,
        log: silentLog,
        ...changes,
      };
      return await runUpload(parts, holdOf(id, controller));
    },
    recordOf: async (id) => (await space.records.read(id))?.record,
    attemptFiles: () => temp.files().filter((path) => path.includes('/attempt-')),
    async close() {
      await Promise.all([space.close(), temp.remove()]);
    },
  };
}

/** Holds a permit that names its upload, so that each test runs its own one. */
function holdOf(id: string, controller: AbortController) {
  return {
    permit: { kind: 'picture', id: '1', data: { id } },
    controller,
    begun: async () => undefined,
    stopping: new AbortController().signal,
    onUnresponsive: () => undefined,
  };
}
