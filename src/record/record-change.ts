import { randomBytes } from 'node:crypto';
import type { Problem, UploadState } from '../wire/documents.ts';
import { EVENT_STREAM_LENGTH, OTHER_KIND, type PublishCommand, type QueueKeys } from '../queue/contract.ts';
import { preciseNowMs } from '../queue/redis-clock.ts';
import { isCluster } from '../queue/redis-place.ts';
import type { Config } from '../settings/config.ts';
import { scriptOf, type Transition } from './transitions.ts';
import { decodeOutcome, type ChangeOutcome } from './change-outcome.ts';
import type { RecordFields } from './record-fields.ts';

/** The few Redis commands that records need. */
export interface RecordStore {
  /** Runs a script by its digest, and loads it first if Redis does not have it. */
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Returns the fields of a hash, none if it does not exist. */
  readHash(key: string): Promise<RecordFields>;
  /** Returns these fields of each hash in one round trip; null for a missing field. */
  readFieldsOf(keys: readonly string[], names: readonly string[]): Promise<(string | null)[][]>;
  get(key: string): Promise<string | null>;
}

/** Why an upload failed. */
export interface Failure {
  /** The id of the upload. */
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}

/** Retention times of records, and how their changes are published. */
export interface RecordOptions {
  /** Time that a final upload stays readable. */
  retentionMs: number;
  /** A receiving upload without a report for this time counts as broken off. Default: 5 minutes. */
  silenceMs?: number;
  /**
   * Called after each change of state, with the states that the upload may have had before, and with the problem of a
   * failed one. Must not throw.
   */
  onEntered?: (state: string, from: readonly string[], failure?: Failure) => void;
  /** Returns the time by Redis' clock, which all times of records use. Default: the clock of this machine. */
  nowMs?: () => number;
  /** Returns the kind whose queue takes files of a media type. Default: `OTHER_KIND`. */
  kindOf?: (type: string) => string;
  /** The command that publishes each change on the upload's own channel as well. Default: none. */
  publish?: PublishCommand;
  /**
   * Returns true if this process knows endpoints, so that all final uploads are added to the outbox of webhooks.
   * Otherwise an upload is added only if its tenant had endpoints at its opening. Default: never.
   */
  sendsWebhooks?: () => boolean;
}

/** Returns the options that all processes of an installation must share. */
export function recordOptions(
  config: Pick<Config, 'retentionMs' | 'uploadSilenceMs' | 'eventBus' | 'redis'>,
): RecordOptions {
  const publish = config.redis !== undefined && isCluster(config.redis) ? 'SPUBLISH' : 'PUBLISH';
  return {
    retentionMs: config.retentionMs,
    silenceMs: config.uploadSilenceMs,
    ...(config.eventBus === 'targeted' ? { publish } : {}),
  };
}

const DEFAULT_SILENCE_MS = 300_000;

/** A rejected upload is kept for this time, so that its sender can read the reason. */
const REJECTED_MS = 300_000;

/** Limits of the waiting uploads. A change that passes them is rejected if a limit is reached. */
export interface QueueLimits {
  /** Maximum number of waiting uploads. */
  capacity: number;
  /** If true, a full queue evicts its oldest upload instead of rejecting the new one. */
  discards: boolean;
  /** The address that the waiting upload counts for, stored only while it waits. If undefined, it has no limit. */
  address?: string;
  /** Maximum number of waiting uploads of one address. */
  perAddress: number;
}

/** How an attempt that is requeued ends. Counts are the new values of the record; those left out stay. */
export interface Requeuing {
  faults?: number;
  deaths?: number;
  /** Milliseconds until the next try, by Redis' clock. */
  pauseMs?: number | undefined;
}

/** Runs the transition scripts. Each call has a nonce, by which a script recognises a change that was sent twice. */
export class RecordChanger {
  readonly #store: Pick<RecordStore, 'runScript'>;
  readonly #keys: QueueKeys;
  readonly #options: RecordOptions;
  readonly #noncePrefix = randomBytes(6).toString('base64url');
  #nonces = 0;

  constructor(store: Pick<RecordStore, 'runScript'>, keys: QueueKeys, options: RecordOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#options = options;
  }

  get silenceMs(): number {
    return this.#options.silenceMs ?? DEFAULT_SILENCE_MS;
  }

  get retentionMs(): number {
    return this.#options.retentionMs;
  }

  /** Time that a rejected upload is kept. */
  get rejectedMs(): number {
    return Math.min(REJECTED_MS, this.#options.retentionMs);
  }

  /** Returns the kind whose queue takes files of a media type. */
  kindOf(type: string): string {
    return this.#options.kindOf?.(type) ?? OTHER_KIND;
  }

  nowMs(): number {
    return (this.#options.nowMs ?? preciseNowMs)();
  }

  /** Runs a transition. `args` are the script's arguments from 7 on; undefined is sent as an empty string. */
  async run(
    transition: Exclude<Transition, 'forget' | 'take'>,
    id: string,
    args: readonly (string | number | undefined)[],
  ): Promise<ChangeOutcome> {
    return decodeOutcome(await this.#send(transition, id, args), id);
  }

  /**
   * Begins the upload that the script chooses. Returns undefined if none waits, or the milliseconds until the first
   * pause ends.
   */
  async take(args: readonly (string | number | undefined)[]): Promise<ChangeOutcome | number | undefined> {
    const reply = await this.#send('take', '', args);
    const [word, ms] = Array.isArray(reply) ? reply.map(String) : [];
    if (word === 'none') return ms === '' ? undefined : Number(ms);
    const outcome = decodeOutcome(reply);
    if (outcome.applied) this.#options.onEntered?.('processing', ['queued', 'processing']);
    return outcome;
  }

  async #send(
    transition: Exclude<Transition, 'forget'>,
    id: string,
    args: readonly (string | number | undefined)[],
  ): Promise<unknown> {
    const { publish } = this.#options;
    const common = [id, this.#newNonce(), String(EVENT_STREAM_LENGTH), this.#keys.publicId('')];
    const publishing = publish === undefined ? ['', ''] : [publish, this.#keys.changeChannel(id)];
    const own = args.map((arg) => (arg === undefined ? '' : String(arg)));
    const script = scriptOf(transition);
    return await this.#store.runScript(script, this.#scriptKeys(id), [...common, ...publishing, ...own]);
  }

  /** Like `run`, for a transition that moves the upload from one of `from` to `state`. */
  async enter(
    state: UploadState,
    from: readonly UploadState[],
    ...[transition, id, args]: Parameters<RecordChanger['run']>
  ): Promise<ChangeOutcome> {
    const outcome = await this.run(transition, id, args);
    if (!outcome.applied) return outcome;
    this.#options.onEntered?.(state, from, state === 'failed' ? failureIn(id, args) : undefined);
    for (const _evicted of outcome.discarded ?? []) this.#options.onEntered?.('discarded', ['queued']);
    return outcome;
  }

  async forget(id: string, publicId: string): Promise<void> {
    await this.#store.runScript(scriptOf('forget'), this.#scriptKeys(id), [id, this.#keys.publicId(publicId)]);
  }

  /** The channel on which workers receive the ids of cancelled and deleted uploads. */
  get cancelChannel(): string {
    return this.#keys.cancelChannel;
  }

  #scriptKeys(id: string): string[] {
    const keys = this.#keys;
    return [
      keys.record(id),
      keys.waiting,
      keys.events,
      keys.due,
      keys.waitingByAddress,
      keys.drained,
      keys.failed,
      keys.records,
      keys.recordOwners,
      keys.tenants,
      keys.fair,
      keys.outbox,
      keys.result(''),
      ...(this.#options.sendsWebhooks?.() === true ? [keys.outbox] : []),
    ];
  }

  #newNonce(): string {
    return `${this.#noncePrefix}${++this.#nonces}`;
  }
}

/** Returns the failure of a transition to `failed`, which has the problem as its second argument. */
function failureIn(id: string, [, problem]: readonly (string | number | undefined)[]): Failure {
  const { code, detail } = JSON.parse(String(problem)) as Problem;
  return { id, code, detail };
}
