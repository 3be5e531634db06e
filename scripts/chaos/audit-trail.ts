import { isFinalState } from '../../src/wire/documents.ts';
import type { ProgressState } from '../../src/record/progress.ts';

/** What of a change is looked at. */
export type AuditedChange = Pick<ProgressState, 'publicId' | 'version' | 'percent' | 'state' | 'attempt' | 'deleted'>;

/**
 * All changes of all uploads, as Redis has told of them, held against the rules: no version is left out or told twice, each life
 * ends once and stays so, percent and attempt never go back.
 */
export class AuditTrail {
  readonly #last = new Map<string, AuditedChange>();
  readonly #offences: string[] = [];
  #changes = 0;

  get offences(): readonly string[] {
    return this.#offences;
  }

  /** How many were looked at. */
  get changes(): number {
    return this.#changes;
  }

  /** The latest of an upload, as far as it has been told. */
  last(id: string): AuditedChange | undefined {
    return this.#last.get(id);
  }

  change(id: string, change: AuditedChange): void {
    this.#changes += 1;
    const last = this.#last.get(id);
    this.#last.set(id, change);
    const offence = last === undefined ? undefined : breach(last, change);
    if (offence !== undefined) this.#offences.push(`${id} ${offence}: ${describe(last)} → ${describe(change)}`);
  }

  /** Redis has lost some of it: what comes next is not comparable with what came before. */
  forget(): void {
    this.#last.clear();
  }
}

function breach(last: AuditedChange, change: AuditedChange): string | undefined {
  if (change.version !== last.version + 1) return 'a version left out or told twice';
  if (change.attempt < last.attempt) return 'attempt went back';
  if (change.publicId !== last.publicId)
    return isRestart(last, change) ? undefined : 'began anew from where it may not';
  if (last.deleted) return 'changed after it was deleted';
  if (isFinalState(last.state) && !(change.deleted && change.state === last.state)) return 'changed after its end';
  return change.percent < last.percent ? 'percent went back' : undefined;
}

function isRestart(last: AuditedChange, change: AuditedChange): boolean {
  return isFinalState(last.state) && last.state !== 'completed' && !last.deleted && change.state === 'receiving';
}

function describe(change: AuditedChange | undefined): string {
  if (change === undefined) return 'nothing';
  const { state, percent, version, attempt, deleted } = change;
  return `${state}${deleted ? ', deleted' : ''} ${percent} % (version ${version}, attempt ${attempt})`;
}
