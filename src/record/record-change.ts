import { randomBytes } from 'node:crypto';
import type { UploadState } from '../wire/documents.ts';
import { EVENT_STREAM_LENGTH, type PublishCommand, type QueueKeys } from '../queue/contract.ts';
import { loadScript } from '../queue/load-script.ts';
import { preciseNowMs } from '../queue/redis-clock.ts';
import { decodeRecord, pairFields, type RecordFields, type UploadRecord } from './record-fields.ts';

/** The few Redis commands that records need. */
export interface RecordStore {
  /** Runs a script by its digest, loading it where Redis has not seen it. */
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** The hash, empty where there is none, and its 0-based rank in the sorted set, null where it has none. */
  readHash(key: string, rankedIn: string, member: string): Promise<{ fields: RecordFields; rank: number | null }>;
  /** These fields of each hash, in one round trip; null for a field that a hash does not have. */
  readFieldsOf(keys: readonly string[], names: readonly string[]): Promise<(string | null)[][]>;
  /** 0-based ranks, in one round trip; null for a member that the set does not have. */
  ranksIn(key: string, members: readonly string[]): Promise<(number | null)[]>;
  get(key: string): Promise<string | null>;
}

/** The times that records live by, and how changes are told. */
export interface RecordOptions {
  /** How long a final upload stays readable. */
  retentionMs: number;
  /** After so long without a report a receiving upload is one whose process has died. Default 5 minutes. */
  silenceMs?: number;
  /** Told of every change of state that is made through here, with the states it could have come from. Must not throw. */
  onEntered?: (state: string, from: readonly string[]) => void;
  /** The time by the clock of Redis, from which all times of records are. Default: that of this machine. */
  nowMs?: () => number;
  /** The command that publishes each change on its upload's channel too, for listeners there. Default: none does. */
  publish?: PublishCommand;
}

const DEFAULT_SILENCE_MS = 300_000;

/** Long enough for its sender to learn why. */
const REFUSED_MS = 300_000;

/** How much may wait, and whose the upload is: a change that bears one is made where there is room. */
export interface QueueLimits {
  /** As many uploads may wait. */
  capacity: number;
  /** What would be too many takes the place of the oldest ones, which are discarded. */
  discards: boolean;
  /** Whom a waiting upload counts for; kept only while it waits. Undefined: nobody's share is limited. */
  address?: string;
  /** As many uploads of one address may wait. */
  perAddress: number;
}

/**
 * Why a change was not made. `missing`: no record; `deleted`: a tombstone; `expired`: its retention is over;
 * `final`: the outcome stands;
 * `state`: not from this state; `fenced`: a later request or attempt has taken over; `exhausted`: too many attempts have failed or died;
 * `full`: as many wait as may; `quota`: as many of the same client address do;
 * `records`: there are as many records as may be; `owned`: there are as many of the same owner.
 */
export type Rejection =
  | 'missing'
  | 'deleted'
  | 'expired'
  | 'final'
  | 'state'
  | 'fenced'
  | 'exhausted'
  | 'full'
  | 'quota'
  | 'records'
  | 'owned';

/**
 * What became of a change; `record` is there for those that ask for it, and for refusals
 * other than `missing`, with `queuePosition` (1 is next) where it waits; `restarted` is true where `open` began a new life
 * of a failed upload; `discarded` names the uploads that made room for this one.
 */
export type ChangeOutcome =
  | {
      readonly applied: true;
      readonly version: number;
      readonly record: UploadRecord | undefined;
      readonly queuePosition?: number;
      readonly restarted?: boolean;
      readonly discarded?: readonly string[];
    }
  | RejectedChange;

/** A change that was not made, and the record that refused it. */
export interface RejectedChange {
  readonly applied: false;
  readonly rejection: Rejection;
  readonly record: UploadRecord | undefined;
  readonly queuePosition?: number;
}

/** A transition of records, named as its file in `scripts`. */
export type Transition =
  | 'open'
  | 'receive'
  | 'announce-total'
  | 'take-over'
  | 'enqueue'
  | 'refuse'
  | 'interrupt'
  | 'recover'
  | 'restore'
  | 'retry'
  | 'begin'
  | 'advance'
  | 'announce'
  | 'complete'
  | 'fail'
  | 'hand-back'
  | 'cancel'
  | 'delete'
  | 'forget';

const scripts = new Map<Transition, string>();

function scriptOf(transition: Transition): string {
  const known = scripts.get(transition);
  if (known !== undefined) return known;
  const script = loadScript(new URL(`scripts/${transition}.lua`, import.meta.url));
  scripts.set(transition, script);
  return script;
}

/** Runs transitions, under nonces by which the scripts know a change that is sent again. */
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

  /** How long an upload is kept that was refused before it was stored. */
  get refusedMs(): number {
    return Math.min(REFUSED_MS, this.#options.retentionMs);
  }

  nowMs(): number {
    return (this.#options.nowMs ?? preciseNowMs)();
  }

  /** `args` are those of the script from 7 on; undefined becomes an empty string. */
  async run(
    transition: Exclude<Transition, 'forget'>,
    id: string,
    args: readonly (string | number | undefined)[],
  ): Promise<ChangeOutcome> {
    const { publish } = this.#options;
    const common = [id, this.#newNonce(), String(EVENT_STREAM_LENGTH), this.#keys.publicId('')];
    const publishing = publish === undefined ? ['', ''] : [publish, this.#keys.changeChannel(id)];
    const own = args.map((arg) => (arg === undefined ? '' : String(arg)));
    const script = scriptOf(transition);
    return decodeOutcome(
      id,
      await this.#store.runScript(script, this.#scriptKeys(id), [...common, ...publishing, ...own]),
    );
  }

  /** As `run`, of a transition after which the upload is in `state`, where it was in one of `from`. */
  async enter(
    state: UploadState,
    from: readonly UploadState[],
    ...[transition, id, args]: Parameters<RecordChanger['run']>
  ): Promise<ChangeOutcome> {
    const outcome = await this.run(transition, id, args);
    if (outcome.applied) this.#options.onEntered?.(state, from);
    return outcome;
  }

  async forget(id: string, publicId: string): Promise<void> {
    await this.#store.runScript(scriptOf('forget'), this.#scriptKeys(id), [id, this.#keys.publicId(publicId)]);
  }

  /** The channel on which workers hear of uploads that are no longer theirs. */
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
    ];
  }

  #newNonce(): string {
    return `${this.#noncePrefix}${++this.#nonces}`;
  }
}

const REJECTIONS: readonly Rejection[] = [
  'missing',
  'deleted',
  'expired',
  'final',
  'state',
  'fenced',
  'exhausted',
  'full',
  'quota',
  'records',
  'owned',
];

function decodeOutcome(id: string, reply: unknown): ChangeOutcome {
  if (!Array.isArray(reply)) throw new Error('the record script answered no list');
  const [word, version, ...flat] = reply.map(String);
  const { discarded, rank, restarted, ...fields } = pairFields(flat);
  const place = rank === undefined ? {} : { queuePosition: Number(rank) + 1 };
  const record = fields['state'] === undefined ? undefined : decodeRecord(id, fields);
  if (word === 'ok')
    return {
      applied: true,
      version: Number(version),
      record,
      ...place,
      ...(restarted === undefined ? {} : { restarted: true }),
      ...(discarded === undefined ? {} : { discarded: discarded.split(' ') }),
    };
  const rejection = REJECTIONS.find((known) => known === word);
  if (rejection === undefined) throw new Error(`the record script answered ${String(word)}`);
  return { applied: false, rejection, record, ...place };
}
