import { Random } from '../../scripts/chaos/random.ts';
import { receiveRaw } from '../../src/intake/raw-intake.ts';
import { UploadSets } from '../../src/queue/upload-sets.ts';
import { originalKey, uploadPrefix } from '../../src/storage/keys.ts';
import { handleDueUploads } from '../../workers/janitor/due-uploads.ts';
import { reconcileStorage } from '../../workers/janitor/reconciliation-scan.ts';
import { freshId, jpegBytes, wholeRequest } from './fake-request.ts';
import { SCOPE, type IntakeSpace } from './intake-space.ts';
import { NEVER } from './janitor-space.ts';
import { PROBLEM, RESULT, silentLog } from './record-space.ts';
import { RedisSnapshots } from './redis-snapshots.ts';
import { NO_FAULTS, randomFaults, SteppedTask } from './stepped-tasks.ts';

const RECORD_CALLS =
  'open receive accept enqueue reject forget read readProgress restore recover interrupt begin complete fail'.split(
    ' ',
  );
const STORAGE_CALLS = ['create', 'storePair', 'read', 'stat', 'list', 'remove', 'removeUnfinished'];

const BYTES = jpegBytes();
const STEPS = 60;
const MOST_REQUESTS = 5;
const MOST_LOSSES = 3;
/** A loss takes back at most this number of changes. */
const MOST_LOST_CHANGES = 15;
/** Runs of the janitor after which nothing may be left to do. */
const LAST_SWEEPS = 4;

/** The end of one upload. */
interface UploadEnd {
  /** True if a request was answered that the upload is accepted. */
  isAccepted: boolean;
  /** The state of the record. Undefined if there is none. */
  state: string | undefined;
  /** Complete files in the storage that the record does not name. */
  orphans: string[];
}

/**
 * The history of one upload id, in an order that a seed decides: requests that send the same file, a janitor and a
 * worker, step by step. Calls fail, processes are killed, and Redis goes back to an earlier state.
 */
export class UploadHistory {
  /** What happened, for the message of a failed test. */
  readonly steps: string[] = [];
  readonly #id = freshId();
  readonly #space: IntakeSpace;
  readonly #random: Random;
  readonly #snapshots: RedisSnapshots;
  readonly #tasks: SteppedTask[] = [];
  readonly #requests: SteppedTask[] = [];
  #losses = 0;

  constructor(space: IntakeSpace, seed: number) {
    this.#space = space;
    this.#random = new Random(seed);
    this.#snapshots = new RedisSnapshots(space.connection, space.keys.bullPrefix);
  }

  /** Runs the history and, without further faults, the janitor and the worker until nothing is left to do. */
  async run(): Promise<UploadEnd> {
    await this.#snapshots.take();
    await this.#startRequest();
    for (let step = 0; step < STEPS; step += 1) await this.#next();
    for (const task of this.#tasks) await this.#finish(task);
    for (let sweep = 0; sweep < LAST_SWEEPS; sweep += 1) {
      await this.#makeDue();
      await this.#finish(await this.#startJanitor(true));
      await this.#finish(await this.#startWorker(true));
    }
    return await this.#end();
  }

  /** Removes everything that the history has left, also of its killed tasks. */
  async clear(): Promise<void> {
    for (const task of this.#tasks) await task.release();
    await this.#space.storage.removeAll(uploadPrefix(this.#id));
    await this.#snapshots.clear();
  }

  async #next(): Promise<void> {
    const draw = this.#random.next();
    if (draw < 0.1 && this.#requests.length < MOST_REQUESTS) return await this.#startRequest();
    if (draw < 0.14) return void (await this.#startJanitor());
    if (draw < 0.16) return void (await this.#startWorker());
    if (draw < 0.19) return await this.#makeDue();
    if (draw < 0.25 && this.#losses < MOST_LOSSES) return await this.#loseChanges();
    if (draw < 0.27) return this.#kill(this.#random.pick(this.#tasks));
    const ready = this.#tasks.filter((task) => task.canStep);
    if (ready.length === 0) return;
    this.steps.push(await this.#random.pick(ready).step());
    await this.#snapshots.take();
  }

  async #finish(task: SteppedTask): Promise<void> {
    while (task.canStep) this.steps.push(await task.step());
  }

  #kill(task: SteppedTask): void {
    this.steps.push(`${task.name}: killed`);
    task.isKilled = true;
  }

  async #loseChanges(): Promise<void> {
    this.#losses += 1;
    const changes = this.#random.between(1, Math.min(MOST_LOST_CHANGES, this.#snapshots.count));
    this.steps.push(`Redis goes back by ${changes}`);
    await this.#snapshots.goBack(changes);
  }

  /** Makes the upload due, as after a time without reports. */
  async #makeDue(): Promise<void> {
    this.steps.push('due');
    await this.#space.connection.zadd(this.#space.keys.due, 1, this.#id);
  }

  #partsOf(task: SteppedTask, isSound: boolean): Pick<IntakeSpace['parts'], 'records' | 'storage'> {
    const choose = isSound ? NO_FAULTS : randomFaults(this.#random);
    const { records, storage } = this.#space.parts;
    return {
      records: task.stepped(records, RECORD_CALLS, choose),
      storage: task.stepped(storage, STORAGE_CALLS, choose),
    };
  }

  async #startRequest(): Promise<void> {
    const task = new SteppedTask(`request ${this.#requests.length}`);
    this.#requests.push(task);
    this.#tasks.push(task);
    const parts = { ...this.#space.parts, ...this.#partsOf(task, false) };
    const file = {
      id: this.#id,
      fileName: 'a.jpg',
      totalBytes: BYTES.length,
      options: {},
      maxBytes: BYTES.length,
      signal: NEVER,
      request: wholeRequest({}, BYTES),
      mayBeSmall: this.#random.chance(0.5),
    };
    await task.start(async () => await receiveRaw(parts, SCOPE, file));
  }

  async #startJanitor(isSound = false): Promise<SteppedTask> {
    const task = new SteppedTask('janitor');
    this.#tasks.push(task);
    const { connection, keys, parts } = this.#space;
    const janitor = {
      ...this.#partsOf(task, isSound),
      sets: new UploadSets(connection, keys),
      queue: { ...parts.queue, has: async () => true },
      log: silentLog,
      uploadExpiryMs: 0,
    };
    await task.start(async () => {
      await handleDueUploads(janitor, NEVER);
      await connection.del(keys.reconciled);
      await reconcileStorage(janitor, NEVER);
    });
    return task;
  }

  /** A worker completes the upload if its bytes are there. */
  async #startWorker(isSound = false): Promise<SteppedTask> {
    const task = new SteppedTask('worker');
    this.#tasks.push(task);
    const { records, storage } = this.#partsOf(task, isSound);
    await task.start(async () => {
      const { applied, record } = await records.begin(this.#id);
      if (!applied || record === undefined) return;
      const original = await storage.stat(originalKey(this.#id, record.fencingToken));
      if (original === undefined) await records.fail(this.#id, record.attempt, PROBLEM);
      else await records.complete(this.#id, record.attempt, RESULT);
    });
    return task;
  }

  async #end(): Promise<UploadEnd> {
    const record = (await this.#space.records.read(this.#id))?.record;
    const orphans: string[] = [];
    for await (const { key } of this.#space.storage.list(uploadPrefix(this.#id)))
      if (record === undefined || !key.includes(record.fencingToken)) orphans.push(key);
    return { isAccepted: this.#requests.some((request) => request.hasResolved), state: record?.state, orphans };
  }
}
