import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { ConfigError } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { storageUnavailable } from './file-errors.ts';
import { MARKER_KEY } from './keys.ts';
import { markerBytes, readMarker, type Marker } from './marker.ts';
import { putObject, type Storage } from './storage.ts';

/** `STORAGE_ADOPT=new` shares a directory or bucket with files of others. */
const ADOPT_NEW = 'new';

/** Another process that makes the marker needs no longer. */
const MAX_ROUNDS = 300;
const ROUND_MS = 50;

/** The id of the installation as Redis keeps it. */
export interface KeptId {
  read(): Promise<string | undefined>;
  keep(id: string): Promise<void>;
  replace(id: string): Promise<void>;
  lock(): Promise<(() => Promise<void>) | undefined>;
}

/** What is compared. */
export interface InstallationParts {
  storage: Storage;
  kept: KeptId;
  queuePrefix: string;
  /** Of the setting `STORAGE_ADOPT`. */
  adopt: string | undefined;
  log: Logger;
}

/**
 * Makes sure that storage and Redis belong together: a marker in the storage's root and a key in Redis name the same
 * random installation id. Nothing may be restored or removed while they do not.
 */
export class Installation {
  readonly #parts: InstallationParts;
  #id: string | undefined;
  #fault: string | undefined;

  constructor(parts: InstallationParts) {
    this.#parts = parts;
  }

  /**
   * For the start: writes the marker if storage and Redis are new, adopts the storage if Redis is empty. Rejects with a
   * `ConfigError` of one line if they do not belong together.
   */
  async open(): Promise<void> {
    try {
      this.#id = await this.#pair();
    } catch (error) {
      throw error instanceof NoPair ? new ConfigError(error.message) : error;
    }
  }

  /**
   * Compares again, since Redis may have been replaced or a disk unmounted. Rejects with `storage_unavailable` (503) if
   * they do not belong together, and as storage and Redis do if they cannot be asked.
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
    throw new ServiceError('service_unavailable', 'The storage is being prepared. Try again shortly.');
  }

  /** Lets Redis keep the id of the marker, or throws. */
  async #adopt(marker: Marker, kept: string | undefined): Promise<void> {
    const { adopt, queuePrefix, storage, log } = this.#parts;
    const isOwn = marker.id === this.#id || marker.queuePrefix === queuePrefix;
    if (kept === undefined && isOwn) {
      log.info({ installation: marker.id }, 'storage adopted by an empty Redis');
      return await this.#parts.kept.keep(marker.id);
    }
    if (adopt !== marker.id) throw new NoPair(othersMarker(marker, kept));
    log.warn({ installation: marker.id, before: kept ?? null }, 'storage adopted as STORAGE_ADOPT says');
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
    `storage any more, take it over with STORAGE_ADOPT=${id}`
  );
}

function missing(kept: string): string {
  return (
    `STORAGE has no installation marker, but Redis belongs to installation ${kept}: is STORAGE the same for all ` +
    `processes, and is its disk mounted? If this storage replaces the earlier one, start with STORAGE_ADOPT=${kept}`
  );
}

function foreignFiles(name: string): string {
  return (
    `STORAGE holds files that are not of this service, such as ${JSON.stringify(name)}: name an empty directory or ` +
    `prefix, or share this one with STORAGE_ADOPT=${ADOPT_NEW}`
  );
}
