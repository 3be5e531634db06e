import { isFinalState } from '../../src/wire/documents.ts';
import type { ProgressState } from '../../src/record/progress.ts';

/** The fields of a change that are checked. */
export type AuditedChange = Pick<ProgressState, 'publicId' | 'version' | 'percent' | 'state' | 'attempt' | 'deleted'>;

/** The least distance between the version before an end and the version of a reported end (`final-version.lua`). */
const LEAST_JUMP = 1e9;

/** The least number of an attempt from which a restored upload continues (`restore.lua`). */
const LEAST_RESTORED_ATTEMPT = 1e9;

/**
 * Checks all changes of all uploads, in the order of Redis's event stream. No version may be missing or repeated, an
 * upload ends once and stays so, and percent and attempt never go back.
 */
export class AuditTrail {
  readonly #last = new Map<string, AuditedChange>();
  readonly #offences: string[] = [];
  readonly #ends = new Set<string>();
  #changes = 0;

  get offences(): readonly string[] {
    return this.#offences;
  }

  /** The number of changes that were checked. */
  get changes(): number {
    return this.#changes;
  }

  /** The changes that made an upload final or deleted it: `<id>.<version>`. */
  get ends(): ReadonlySet<string> {
    return this.#ends;
  }

  /** Returns the latest change of an upload. */
  last(id: string): AuditedChange | undefined {
    return this.#last.get(id);
  }

  change(id: string, change: AuditedChange): void {
    this.#changes += 1;
    const last = this.#last.get(id);
    this.#last.set(id, change);
    if (isFinalState(change.state)) this.#ends.add(`${id}.${change.version}`);
    const isRestored = last !== undefined && isRestore(last, change);
    const offence = last === undefined || isRestored ? undefined : breach(last, change);
    if (offence !== undefined) this.#offences.push(`${id} ${offence}: ${describe(last)} → ${describe(change)}`);
  }

  /** Call it when Redis has lost changes: later changes cannot be compared with earlier ones. */
  forget(): void {
    this.#last.clear();
    this.#ends.clear();
  }
}

function breach(last: AuditedChange, change: AuditedChange): string | undefined {
  if (!isNext(last, change)) return 'a version is missing or repeated';
  if (change.attempt < last.attempt) return 'attempt went back';
  if (change.publicId !== last.publicId)
    return isRestart(last, change) ? undefined : 'started again although it must not';
  if (last.deleted) return 'changed after it was deleted';
  if (isFinalState(last.state) && !(change.deleted && change.state === last.state)) return 'changed after its end';
  return change.percent < last.percent ? 'percent went back' : undefined;
}

/**
 * Returns whether a change may follow the last one. Versions grow by one, except that the version of an end that a
 * webhook reports is far above the others.
 */
function isNext(last: AuditedChange, change: AuditedChange): boolean {
  const distance = change.version - last.version;
  if (distance === 1) return true;
  if (isFinalState(last.state) && change.deleted) return distance > 0;
  return distance >= LEAST_JUMP && (isFinalState(change.state) || isFinalState(last.state));
}

/**
 * Returns whether a change starts an upload again as `queued`. This happens if a small file was stored before its
 * record changed, and a scan found it first (ADR 28).
 */
function isRestart(last: AuditedChange, change: AuditedChange): boolean {
  const mayStartAgain = isFinalState(last.state) && last.state !== 'completed' && !last.deleted;
  return mayStartAgain && (change.state === 'receiving' || change.state === 'queued');
}

/**
 * Returns whether a change restores a stored upload over the failure of another request of its id (ADR 10): Redis had
 * lost it, or its process was killed. The attempts of a restored upload continue from the seconds since 1970.
 */
function isRestore(last: AuditedChange, change: AuditedChange): boolean {
  const isQueuedAgain = last.state === 'failed' && !last.deleted && change.state === 'queued';
  return isQueuedAgain && change.version > last.version && change.attempt >= LEAST_RESTORED_ATTEMPT;
}

function describe(change: AuditedChange | undefined): string {
  if (change === undefined) return 'nothing';
  const { state, percent, version, attempt, deleted } = change;
  return `${state}${deleted ? ', deleted' : ''} ${percent} % (version ${version}, attempt ${attempt})`;
}
