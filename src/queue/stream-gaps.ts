import { EVENT_STREAM_LENGTH } from './contract.ts';

/** Redis gives a reader that was waiting no more than this at first, and the rest with its next read. */
const FIRST_READ_LENGTH = 1_000;

/** How far a stream has come. */
export interface StreamPosition {
  /** Of the newest entry there ever was; trimming does not take it back. */
  lastId: string;
  /** Entries there ever were; undefined where Redis does not count them (before 7.0). */
  added: number | undefined;
}

/**
 * Notices entries that were trimmed before their reader came to them: a reader that stood still goes on with the
 * oldest entry there is, and is told nothing.
 */
export class StreamGaps {
  #lastId: string;
  #count: number | undefined;
  #before: { readerId: string; streamId: string } | undefined;
  #toldId: string | undefined;

  /** @param start where the reader begins. */
  constructor(start: StreamPosition) {
    this.#lastId = start.lastId;
    this.#count = start.added;
  }

  /** So many entries were read, up to this one. True where they are as many as the stream keeps: there may have been more. */
  read(entries: number, lastId: string): boolean {
    this.#lastId = lastId;
    if (this.#count !== undefined) this.#count += entries;
    return entries >= EVENT_STREAM_LENGTH - FIRST_READ_LENGTH;
  }

  /**
   * To be called now and then, with where the stream is. True where its newest entry is not to be had, for a reader
   * that has not moved between two calls, or where the reader came there with fewer entries than there were.
   */
  missedUpTo(stream: StreamPosition): boolean {
    const before = this.#before;
    this.#before = { readerId: this.#lastId, streamId: stream.lastId };
    if (stream.lastId === this.#lastId) return this.#isShortOf(stream);
    const stoodStill = before !== undefined && before.readerId === this.#lastId && before.streamId !== this.#lastId;
    if (!stoodStill || stream.lastId === this.#toldId) return false;
    this.#toldId = stream.lastId;
    this.#count = undefined;
    return true;
  }

  #isShortOf({ added }: StreamPosition): boolean {
    const isShort = this.#count !== undefined && added !== undefined && this.#count !== added;
    this.#count = added;
    return isShort;
  }
}
