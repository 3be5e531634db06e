import { isFinalState, type Progress, type UploadState } from '../../src/wire/documents.ts';

/** One answer about an upload that a client received. */
export interface Observation extends Pick<Progress, 'version' | 'percent' | 'state' | 'final' | 'timedOut'> {
  /** The public id. Another one means that the upload was started again. */
  life: string;
  /** The version that the client sent as `since`. */
  since: number | undefined;
  sentAtMs: number;
  answeredAtMs: number;
}

/** Returns whether Redis has lost data between two times. Answers before and after a loss cannot be compared. */
export type LossBetween = (fromMs: number, toMs: number) => boolean;

const ORDER: Readonly<Record<UploadState, number>> = {
  receiving: 0,
  queued: 1,
  processing: 1,
  completed: 2,
  failed: 2,
  cancelled: 2,
  discarded: 2,
};

/** Checks the answers that one client receives about one upload. */
export class ProgressChecker {
  readonly #lossBetween: LossBetween;
  readonly #offences: string[] = [];
  #last: Observation | undefined;

  constructor(lossBetween: LossBetween) {
    this.#lossBetween = lossBetween;
  }

  get offences(): readonly string[] {
    return this.#offences;
  }

  /** The last answer. */
  get last(): Observation | undefined {
    return this.#last;
  }

  /** @param mayRestart true if an unanswered request of the client may start the upload again */
  see(seen: Observation, mayRestart: boolean): void {
    const last = this.#last;
    this.#last = seen;
    this.#addIfBroken(checkAlone(seen));
    if (last === undefined || this.#lossBetween(last.sentAtMs, seen.answeredAtMs)) return;
    this.#addIfBroken(follows(last, seen, mayRestart));
  }

  #addIfBroken(offence: string | undefined): void {
    if (offence !== undefined) this.#offences.push(offence);
  }
}

function checkAlone({ version, percent, state, final, timedOut, since }: Observation): string | undefined {
  if (final !== isFinalState(state)) return `final is ${final} in state ${state}`;
  if (percent < 0 || percent > 100 || (percent === 100) !== (state === 'completed'))
    return `${percent} % in state ${state}`;
  if (since === version && !timedOut && !final) return `an answer without a change at version ${version}`;
  return undefined;
}

function follows(last: Observation, seen: Observation, mayRestart: boolean): string | undefined {
  const step = `${describe(last)} → ${describe(seen)}`;
  if (seen.version < last.version) return `version went back: ${step}`;
  if (seen.life !== last.life) return mayRestart && last.state !== 'completed' ? undefined : `started again: ${step}`;
  if (seen.version === last.version && (seen.state !== last.state || seen.percent !== last.percent))
    return `two states of one version: ${step}`;
  if (last.final && seen.state !== last.state) return `a final state changed: ${step}`;
  if (seen.percent < last.percent) return `percent went back: ${step}`;
  if (ORDER[seen.state] < ORDER[last.state]) return `state went back: ${step}`;
  return undefined;
}

function describe({ version, percent, state, life }: Observation): string {
  return `${state} ${percent} % (version ${version}, ${life})`;
}
