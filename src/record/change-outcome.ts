import { reachedLimit, type ReachedLimit } from './quota.ts';
import { decodeRecord, pairFields, type UploadRecord } from './record-fields.ts';

const REJECTIONS = [
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
  'limited',
  'ticket',
  'refused',
] as const;

/**
 * Why a change was rejected.
 * - `missing`: there is no record.
 * - `deleted`: the upload was deleted.
 * - `expired`: its retention time is over.
 * - `final`: it has a final state.
 * - `state`: its state does not allow the change.
 * - `fenced`: a later request or attempt has taken over.
 * - `exhausted`: too many attempts failed or died.
 * - `full`, `quota`: the queue, or the share of the client address, is full.
 * - `records`, `owned`: there are too many records, in all or of the same owner.
 * - `limited`: the upload would exceed a limit of its tenant, see `limit`.
 * - `ticket`: the ticket has created its maximum number of uploads.
 * - `refused`: the upload would be created, and the caller may only continue an existing one.
 */
export type Rejection = (typeof REJECTIONS)[number];

/**
 * The result of a change. `record` is present for transitions that return it, and for every rejection except `missing`;
 * `queuePosition` (1 is next) only while the upload waits. `restarted` is true if `open` started an ended upload again.
 * `discarded` has the ids of evicted uploads. `permitFor` is the kind for which the caller has to add a permit, if any.
 * `waitedSinceMs` is present for a new attempt: the time at which its upload was queued.
 */
export type ChangeOutcome =
  | {
      readonly applied: true;
      readonly version: number;
      readonly record: UploadRecord | undefined;
      readonly queuePosition?: number;
      readonly restarted?: boolean;
      readonly discarded?: readonly string[];
      readonly permitFor?: string;
      readonly waitedSinceMs?: number;
    }
  | RejectedChange;

/** A change that was not applied, and the record as it stands. */
export interface RejectedChange {
  readonly applied: false;
  readonly rejection: Rejection;
  readonly record: UploadRecord | undefined;
  readonly queuePosition?: number;
  /** The limit that was reached, if the rejection is `limited`. */
  readonly limit?: ReachedLimit;
}

/** Returns the record of a change whose script always returns it. */
export function recordOf({ record }: Pick<ChangeOutcome, 'record'>): UploadRecord {
  if (record === undefined) throw new Error('the script returned no record');
  return record;
}

/** Decodes the reply of a transition script. If no id is given, it is read from the record. */
export function decodeOutcome(reply: unknown, givenId?: string): ChangeOutcome {
  if (!Array.isArray(reply)) throw new Error('the record script returned no list');
  const [word, version, ...flat] = reply.map(String);
  const { discarded, rank, restarted, permitFor, waitedSince, limit, limitEndsInMs, ...fields } = pairFields(flat);
  const id = givenId ?? fields['id'] ?? '';
  const place = rank === undefined ? {} : { queuePosition: Number(rank) + 1 };
  const record = fields['state'] === undefined ? undefined : decodeRecord(id, fields);
  if (word === 'ok')
    return {
      applied: true,
      version: Number(version),
      record,
      ...place,
      ...(restarted === undefined ? {} : { restarted: true }),
      ...(permitFor === undefined ? {} : { permitFor }),
      ...(waitedSince === undefined ? {} : { waitedSinceMs: Number(waitedSince) }),
      ...(discarded === undefined ? {} : { discarded: discarded.split(' ') }),
    };
  const rejection = REJECTIONS.find((known) => known === word);
  if (rejection === undefined) throw new Error(`the record script returned ${String(word)}`);
  const reached = limit === undefined ? {} : { limit: reachedLimit(limit, limitEndsInMs) };
  return { applied: false, rejection, record, ...place, ...reached };
}
