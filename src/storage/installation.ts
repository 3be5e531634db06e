import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { ConfigError } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { storageUnavailable } from './file-errors.ts';
import { MARKER_KEY } from './keys.ts';
import { markerBytes, readMarker, type Marker } from './marker.ts';
import { putObject, type Storage } from './storage.ts';

/** With `STORAGE_ADOPT=new` the directory or bucket may contain other files. */
const ADOPT_NEW = 'new';

/** Number of waits for another process that makes the marker, 15 s together. */
const MAX_ROUNDS = 300;
const ROUND_MS = 50;

/** The installation id in Redis. */
export interface KeptId {
  read(): Promise<string | undefined>;
  keep(id: string): Promise<void>;
  replace(id: string): Promise<void>;
  lock(): Promise<(() => Promise<void>) | undefined>;
}

/** The parts that the comparison needs. */
export interface InstallationParts {
  storage: Storage;
  kept: KeptId;
  queuePrefix: string;
  /** The setting `STORAGE_ADOPT`. */
  adopt: string | undefined;
  log: Logger;
}

/**
 * Makes sure that storage and Redis belong together: a marker in the root of the storage and a key in Redis contain the
 * same random installation id. If they differ, no file may be restored or removed.
 */
export class Installation {
  readonly #parts: InstallationParts;
  #id: string | undefined;
  #fault: string | undefined;

  constructor(parts: InstallationParts) {
    this.#parts = parts;
  }

  /**
   * Call it at the start. Writes the marker if storage and Redis are new. Adopts the storage if Redis is empty. Rejects
   * with a `ConfigError` of one line if they do not belong together.
   */
  async open(): Promise<void> {
    try {
      this.#id = await this.#pair();
    } catch (error) {
      throw error instanceof NoPair ? new ConfigError(error.message) : error;
    }
  }

  /**
   * Compares again, because Redis may have been replaced or a disk unmounted. Rejects with `storage_unavailable` (503)
   * if they do not belong together, and with the error of the storage or Redis if they do not respond.
   */
  async verify(): Promise<void> {
    try {
      this.#id = await this.#pair();
      if (this.#fault !== undefined) this.#parts.log.info('storage and Redis belong together again');
      this.#fault = undefined;
    } catch (error) {
      if (!(error instanceof NoPair)) throw error;
      if (this.#fault !== error.message) this.#parts.log.error(error.message);
      this.#fault = error.message;
      throw storageUnavailable(error);
    }
  }

  /** Throws `storage_unavailable` (503) if the last comparison found that they do not belong together. */
  assertPaired(): void {
    if (this.#fault !== undefined) throw storageUnavailable(new Error(this.#fault));
  }

  async #pair(): Promise<string> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const kept = await this.#parts.kept.read();
      const marker = await readMarker(this.#parts.storage);
      if (marker === 'damaged') throw new NoPair(DAMAGED);
      if (marker === undefined) await this.#make(kept);
      else if (kept === marker.id) return kept;
      else await this.#adopt(marker, kept);
    }
    throw new ServiceError(
      'service_unavailable',
      'The storage of the server is being prepared. Retry in a few seconds.',
    );
  }

  /** Writes the id of the marker to Redis, or throws. */
  async #adopt(marker: Marker, kept: string | undefined): Promise<void> {
    const { adopt, queuePrefix, storage, log } = this.#parts;
    const isOwn = marker.id === this.#id || marker.queuePrefix === queuePrefix;
    if (kept === undefined && isOwn) {
      log.info({ installation: marker.id }, 'storage adopted by an empty Redis');
      return await this.#parts.kept.keep(marker.id);
    }
    if (adopt !== marker.id) throw new NoPair(othersMarker(marker, kept));
    log.warn({ installation: marker.id, before: kept ?? null }, 'storage adopted by STORAGE_ADOPT');
    await putObject(storage, MARKER_KEY, markerBytes(marker.id, queuePrefix));
    await this.#parts.kept.replace(marker.id);
  }

  /** Makes the marker, in one process at a time. */
  async #make(kept: string | undefined): Promise<void> {
    const { adopt, queuePrefix, storage } = this.#parts;
    if (kept !== undefined && adopt !== kept) throw new NoPair(missing(kept));
    const unlock = await this.#parts.kept.lock();
    if (unlock === undefined) {
      await delay(ROUND_MS);
      return;
    }
    try {
      const isNew = (await this.#parts.kept.read()) === kept && (await readMarker(storage)) === undefined;
      if (!isNew) return;
      const foreign = kept === undefined && adopt !== ADOPT_NEW ? await storage.foreignName() : undefined;
      if (foreign !== undefined) throw new NoPair(foreignFiles(foreign));
      await storage.createOnce(MARKER_KEY, markerBytes(kept ?? randomUUID(), queuePrefix));
    } finally {
      await unlock();
    }
  }
}

/** Storage and Redis do not belong together; the message is one line for an operator. */
class NoPair extends Error {}

const DAMAGED = `STORAGE: its installation marker ${MARKER_KEY} is damaged, or was written by a later version`;

function othersMarker({ id, queuePrefix }: Marker, kept: string | undefined): string {
  const other = kept === undefined ? 'is empty' : `belongs to installation ${kept}`;
  return (
    `STORAGE belongs to installation ${id} with QUEUE_PREFIX ${JSON.stringify(queuePrefix)}, but Redis ${other}: ` +
    'compare STORAGE, REDIS_URL and QUEUE_PREFIX with the other processes; if no other installation uses this ' +
    `storage, adopt it with STORAGE_ADOPT=${id}`
  );
}

function missing(kept: string): string {
  return (
    `STORAGE has no installation marker, but Redis belongs to installation ${kept}: is STORAGE the same for all ` +
    `processes, and is its disk mounted? If this storage replaces the earlier one, set STORAGE_ADOPT=${kept}`
  );
}

function foreignFiles(name: string): string {
  return (
    `STORAGE contains files of another service, such as ${JSON.stringify(name)}: set it to an empty directory or ` +
    `prefix, or share this one with STORAGE_ADOPT=${ADOPT_NEW}`
  );
}
