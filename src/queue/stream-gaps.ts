import { EVENT_STREAM_LENGTH } from './contract.ts';

/** Redis returns at most this many entries to a reader that was blocked, and the rest with the next read. */
const FIRST_READ_LENGTH = 1_000;

/** The end of a stream. */
export interface StreamPosition {
  /** Id of the newest entry ever added, even if it was trimmed. */
  lastId: string;
  /** Number of entries ever added; undefined if Redis does not count them (before 7.0). */
  added: number | undefined;
}

/**
 * Detects entries that were trimmed before the reader reached them. Redis itself does not report it: the reader just
 * continues with the oldest entry left.
 */
export class StreamGaps {
  #lastId: string;
  #count: number | undefined;
  #before: { readerId: string; streamId: string } | undefined;
  #reportedId: string | undefined;

  /** @param start where the reader begins. */
  constructor(start: StreamPosition) {
    this.#lastId = start.lastId;
    this.#count = start.added;
  }

  /**
   * Counts entries that were read, up to `lastId`. Returns true if they are as many as the stream keeps, because there
   * may have been more.
   */
  read(entries: number, lastId: string): boolean {
    this.#lastId = lastId;
    if (this.#count !== undefined) this.#count += entries;
    return entries >= EVENT_STREAM_LENGTH - FIRST_READ_LENGTH;
  }

  /**
   * Compares the reader with the stream; call it regularly. Returns true if a reader that has not moved between two
   * calls cannot reach the newest entry, or if it got there with fewer entries than were added.
   */
  missedUpTo(stream: StreamPosition): boolean {
    const before = this.#before;
    this.#before = { readerId: this.#lastId, streamId: stream.lastId };
    if (stream.lastId === this.#lastId) return this.#isShortOf(stream);
    const hasNotMoved = before !== undefined && before.readerId === this.#lastId && before.streamId !== this.#lastId;
    if (!hasNotMoved || stream.lastId === this.#reportedId) return false;
    this.#reportedId = stream.lastId;
    this.#count = undefined;
    return true;
  }

  #isShortOf({ added }: StreamPosition): boolean {
    const isShort = this.#count !== undefined && added !== undefined && this.#count !== added;
    this.#count = added;
    return isShort;
  }
}
