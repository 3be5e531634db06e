import { pairFields, type RecordFields } from '../record/record-fields.ts';
import type { Redis } from '../queue/connection.ts';
import { withPatience } from '../queue/stream-reads.ts';

/** All workers read as one consumer, so no consumer of a dead process is left over. */
const GROUP = 'workers';
const CONSUMER = 'worker';

/** Longest time that Redis blocks a read. */
const BLOCK_MS = 5_000;

/** Maximum number of entries in one read. An entry of a large table has up to 500 KB. */
const READ_COUNT = 50;

/** An entry that a worker has read but not removed for this time belongs to a worker that died. */
const ABANDONED_MS = 15_000;

/** An upload that became final. */
export interface OutboxEntry {
  readonly entryId: string;
  /** The fields of its record at the moment of the event, and the field `event`. */
  readonly fields: RecordFields;
}

/**
 * The stream of final uploads whose webhooks have no job yet. The scripts of records write to it. An entry is read
 * again unless it was removed.
 */
export class Outbox {
  readonly #reader: Redis;
  readonly #connection: Redis;
  readonly #key: string;

  /** @param reader is used only for blocking reads. The caller closes both connections. */
  constructor(reader: Redis, connection: Redis, key: string) {
    this.#reader = reader;
    this.#connection = connection;
    this.#key = key;
  }

  /** Returns new entries. Waits for one for up to 5 s. */
  async read(): Promise<OutboxEntry[]> {
    const reply = await this.#inGroup(() =>
      withPatience(
        this.#reader,
        this.#reader.xreadgroup(
          'GROUP',
          GROUP,
          CONSUMER,
          'COUNT',
          READ_COUNT,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          this.#key,
          '>',
        ),
      ),
    );
    const [stream] = Array.isArray(reply) ? (reply as [string, unknown][]) : [];
    return entriesOf(stream?.[1]);
  }

  /** Returns entries that a dead worker has read. */
  async readAbandoned(): Promise<OutboxEntry[]> {
    const reply = await this.#inGroup(() =>
      this.#connection.xautoclaim(this.#key, GROUP, CONSUMER, ABANDONED_MS, '0', 'COUNT', READ_COUNT),
    );
    return entriesOf(Array.isArray(reply) ? reply[1] : undefined);
  }

  /** Removes entries whose jobs exist. */
  async remove(entries: readonly OutboxEntry[]): Promise<void> {
    const ids = entries.map(({ entryId }) => entryId);
    if (ids.length === 0) return;
    // A process may die between both commands. The next claim drops a pending entry without content.
    await this.#connection.xdel(this.#key, ...ids);
    await this.#connection.xack(this.#key, GROUP, ...ids);
  }

  /** Creates the group if Redis does not have it, or has lost it. It begins with the oldest entry. */
  async #inGroup<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      if (!isReply(error, 'NOGROUP')) throw error;
      await this.#connection.xgroup('CREATE', this.#key, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
        if (!isReply(failure, 'BUSYGROUP')) throw failure;
      });
      return await command();
    }
  }
}

function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}

function entriesOf(reply: unknown): OutboxEntry[] {
  if (!Array.isArray(reply)) return [];
  // Redis 6.2 returns nil for an entry that was deleted.
  return (reply as ([string, string[] | null] | null)[]).flatMap((entry) =>
    entry?.[1] == null ? [] : [{ entryId: entry[0], fields: pairFields(entry[1]) }],
  );
}
