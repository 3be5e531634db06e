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

/** Slow machines need time to start a process. */
const BEGIN_WITHIN_MS = 20_000;

/** An upload with acts for each attempt, for a service with faulty workers. */
export class FaultyUpload {
  readonly id = randomUUID();
  readonly eventLog: string;
  readonly #running: Pick<Service, 'url' | 'directory' | 'redis'>;

  constructor(running: Pick<Service, 'url' | 'directory' | 'redis'>) {
    this.#running = running;
    this.eventLog = join(running.directory, `${this.id}.eventLog`);
  }

  /** Sends the file. `neighbour` is the upload that `with-neighbour` waits for. Throws if the file is rejected. */
  async send(attempts: readonly (readonly Act[])[], neighbour?: FaultyUpload): Promise<this> {
    const orders = {
      eventLog: this.eventLog,
      attempts,
      ...(neighbour === undefined ? {} : { neighbour: neighbour.eventLog }),
    };
    const { status } = await putFile(this.#running.url, this.id, faultyFile(orders), 'a.jpg');
    if (status !== 202) throw new Error(`answered with ${status}`);
    return this;
  }

  /** Resolves with the process of the attempt when the attempt has begun. */
  async begun(attempt: number): Promise<number> {
    return await eventually(`attempt ${attempt} to begin`, () => pidsOf(this.eventLog)[attempt - 1], BEGIN_WITHIN_MS);
  }

  /** Ends the act `until-released`. */
  async release(): Promise<void> {
    await writeFile(releasePath(this.eventLog), '');
  }

  /** Waits for the outcome, also if it is not decided yet. */
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

  /** Returns the number of attempts that died. */
  async deaths(): Promise<number> {
    return Number(await redisCommand(this.#running.redis.url, 'HGET', this.#recordKey, 'deaths'));
  }

  /** Sets the number of attempts that died. */
  async setDeaths(deaths: number): Promise<void> {
    await redisCommand(this.#running.redis.url, 'HSET', this.#recordKey, 'deaths', String(deaths));
  }

  /** Returns the folders of attempts that have files. */
  async attemptFolders(): Promise<string[]> {
    const names = await this.#fileNames();
    return [...new Set(names.flatMap((name) => /\/(attempt-\d+)\//.exec(name)?.[1] ?? []))];
  }

  /** Resolves when the attempt has completely published its file. */
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
