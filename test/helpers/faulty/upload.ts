import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem, Upload } from '../../../src/wire/documents.ts';
import { queueKeys } from '../../../src/queue/contract.ts';
import { getJson, putFile } from '../client.ts';
import { eventually } from '../eventually.ts';
import { LONG_HOLD_MS } from '../long-hold.ts';
import { redisCommand } from '../redis-command.ts';
import type { Service } from '../service.ts';
import { faultyFile, pidsOf, releasePath, type Act } from './faults.ts';
import { filesOfUpload } from '../stored-files.ts';

/** Slow machines start processes slowly. */
const BEGIN_WITHIN_MS = 20_000;

/** A file with orders for each attempt, on its way through a service whose workers are faulty. */
export class FaultyUpload {
  readonly id = randomUUID();
  readonly diary: string;
  readonly #running: Pick<Service, 'url' | 'directory' | 'redis'>;

  constructor(running: Pick<Service, 'url' | 'directory' | 'redis'>) {
    this.#running = running;
    this.diary = join(running.directory, `${this.id}.diary`);
  }

  /** `neighbour` is the one that `with-neighbour` waits for. Throws where it is not taken. */
  async send(attempts: readonly (readonly Act[])[], neighbour?: FaultyUpload): Promise<this> {
    const orders = { diary: this.diary, attempts, ...(neighbour === undefined ? {} : { neighbour: neighbour.diary }) };
    const { status } = await putFile(this.#running.url, this.id, faultyFile(orders), 'a.jpg');
    if (status !== 202) throw new Error(`answered with ${status}`);
    return this;
  }

  /** Resolves with the process that has the attempt in hand, once it has. */
  async begun(attempt: number): Promise<number> {
    return await eventually(`attempt ${attempt} to begin`, () => pidsOf(this.diary)[attempt - 1], BEGIN_WITHIN_MS);
  }

  /** Lets `until-released` go on. */
  async release(): Promise<void> {
    await writeFile(releasePath(this.diary), '');
  }

  /** What a waiter hears, of those that ask before anything is decided too. */
  async outcome(): Promise<Upload | Problem> {
    for (;;) {
      const { status, body } = await getJson<Upload | Problem>(
        `${this.#running.url}/uploads/${this.id}/result?timeout=${LONG_HOLD_MS}`,
      );
      if (status !== 202) return body;
    }
  }

  async document(): Promise<Upload> {
    return (await getJson<Upload>(`${this.#running.url}/uploads/${this.id}`)).body;
  }

  /** Attempts that died. */
  async deaths(): Promise<number> {
    return Number(await redisCommand(this.#running.redis.url, 'HGET', this.#recordKey, 'deaths'));
  }

  /** As though so many attempts had died already. */
  async setDeaths(deaths: number): Promise<void> {
    await redisCommand(this.#running.redis.url, 'HSET', this.#recordKey, 'deaths', String(deaths));
  }

  /** Folders of attempts that have left files. */
  async attemptFolders(): Promise<string[]> {
    const names = await this.#fileNames();
    return [...new Set(names.flatMap((name) => /\/(attempt-\d+)\//.exec(name)?.[1] ?? []))];
  }

  /** Resolves once the attempt has published its file whole. */
  async published(attempt: number): Promise<void> {
    await eventually('the file to be published', async () =>
      (await this.#fileNames()).some((name) => name.endsWith(`attempt-${attempt}/160.jpeg`)),
    );
  }

  async #fileNames(): Promise<string[]> {
    return await filesOfUpload(this.#running.directory, this.id);
  }

  get #recordKey(): string {
    return queueKeys('deferred-uploads').record(this.id);
  }
}
