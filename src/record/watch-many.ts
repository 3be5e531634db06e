import type { ProgressList } from '../wire/documents.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import { ServiceError, toProblem } from '../errors.ts';
import { waitForRecords, RE_READ, type RecordWait } from './record-wait.ts';
import { toProgress, type ProgressState } from './progress.ts';
import type { ReadProgress } from './read-record.ts';
import {
  awaitsBeginning,
  readAwaitedProgress,
  readExistingProgress,
  readWatchedProgress,
  unknownUpload,
} from './read-existing.ts';
import { fromEvent, isWhole, type PresentState, type ProgressWatchParts } from './watch.ts';

/** One upload of a page, and the version that the page has seen: undefined if none, 0 to wait until it begins. */
export interface WatchedUpload {
  id: string;
  since: number | undefined;
  /** The error to answer for an id that cannot be watched. */
  error?: ServiceError;
}

type Entry = ProgressList['uploads'][number];

/**
 * Waits until one of the uploads has changed and answers with all that have: one held request watches a whole page. An
 * unknown upload is answered in its place: at once, or on timeout if the page waits until it begins. An event is
 * answered with its own upload, without a read. An id given twice is answered once. On timeout the list is empty.
 */
export async function watchMany<Answer>(
  parts: ProgressWatchParts,
  asked: { uploads: readonly WatchedUpload[]; timeoutMs: number | undefined },
  shape: (list: ProgressList) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new ManyWait(parts.records, asked, shape));
}

class ManyWait<Answer> implements RecordWait<Answer> {
  readonly ids: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly #records: ProgressWatchParts['records'];
  readonly #shape: (list: ProgressList) => Answer;
  /** Versions that the page has seen, by id in the requested order. */
  readonly #seenVersions = new Map<string, Set<number | undefined>>();
  /** Errors by id. A malformed id never becomes a key to listen on. */
  readonly #refused = new Map<string, ServiceError>();
  readonly #order: readonly string[];
  /** Ids that nobody had used at the last read, and that the page waits for. */
  readonly #notBegun = new Set<string>();
  #isFirstRead = true;

  constructor(
    records: ProgressWatchParts['records'],
    { uploads, timeoutMs }: { uploads: readonly WatchedUpload[]; timeoutMs: number | undefined },
    shape: (list: ProgressList) => Answer,
  ) {
    this.timeoutMs = timeoutMs;
    this.#records = records;
    this.#shape = shape;
    for (const { id, since, error } of uploads) {
      if (error === undefined) this.#seenVersions.set(id, (this.#seenVersions.get(id) ?? new Set()).add(since));
      else this.#refused.set(id, error);
    }
    this.ids = [...this.#seenVersions.keys()];
    this.#order = [...new Set(uploads.map(({ id }) => id))];
  }

  async read(ids: readonly string[]): Promise<Answer | undefined> {
    const entries = new Map<string, Entry>();
    if (this.#isFirstRead)
      for (const [id, error] of this.#refused) entries.set(id, { id, error: toProblem(error, id) });
    await Promise.all(
      ids.map(async (id) => {
        const entry = await this.#entryOf(id);
        if (entry !== undefined) entries.set(id, entry);
      }),
    );
    this.#isFirstRead = false;
    return this.#answer(this.#order.map((id) => entries.get(id)).filter((entry) => entry !== undefined));
  }

  decide(event: ProgressState): Answer | typeof RE_READ | undefined {
    if (!this.#hasMoved(event)) return undefined;
    // The first answer must include the unknown ids, so the records must be read.
    if (this.#isFirstRead) return RE_READ;
    const seen = [...(this.#seenVersions.get(event.id) ?? [])].map((version) => version ?? 0);
    if (!isWhole(event, Math.max(...seen))) return RE_READ;
    return this.#answer([presentEntry(fromEvent(event))]);
  }

  timeoutValue(): Answer {
    const uploads = this.ids.filter((id) => this.#notBegun.has(id)).map(unknownEntry);
    return this.#shape({ uploads, timedOut: true });
  }

  /** Returns undefined if the page has seen the version. */
  async #entryOf(id: string): Promise<Entry | undefined> {
    try {
      const read = await this.#readOne(id);
      if (read === undefined) return this.timeoutMs === 0 ? unknownEntry(id) : undefined;
      return this.#hasMoved(read.state) ? presentEntry(read) : undefined;
    } catch (failure) {
      if (!(failure instanceof ServiceError) || failure.status >= 500) throw failure;
      return { id, error: toProblem(failure, id) };
    }
  }

  /** Returns undefined if the page waits for an upload that has not begun. */
  async #readOne(id: string): Promise<ReadProgress | undefined> {
    const isFirst = this.#isFirstRead;
    const isAwaited = isFirst ? awaitsBeginning([...(this.#seenVersions.get(id) ?? [])]) : this.#notBegun.has(id);
    // A client that waits already receives a deleted upload as its last state; a later request answers 410.
    if (!isAwaited) return await (isFirst ? readExistingProgress : readWatchedProgress)(this.#records, id);
    const read = await (isFirst ? readAwaitedProgress(this.#records, id) : this.#records.readProgress(id));
    if (read === undefined) this.#notBegun.add(id);
    else this.#notBegun.delete(id);
    return read;
  }

  /** True if the upload has changed. An id that was given with two versions always has. */
  #hasMoved({ id, version }: Pick<ProgressState, 'id' | 'version'>): boolean {
    const seen = this.#seenVersions.get(id);
    return seen === undefined || seen.size > 1 || !seen.has(version);
  }

  #answer(moved: Entry[]): Answer | undefined {
    return moved.length === 0 ? undefined : this.#shape({ uploads: moved, timedOut: false });
  }
}

function unknownEntry(id: string): Entry {
  return { id, error: toProblem(unknownUpload(id), id) };
}

function presentEntry({ state, queuePosition, nowMs }: PresentState): Entry {
  return toProgress(state, { nowMs, queuePosition });
}
