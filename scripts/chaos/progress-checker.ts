import { isFinalState, type Progress, type UploadState } from '../../src/wire/documents.ts';

/** What one client was told of one upload, and when. */
export interface Sighting extends Pick<Progress, 'version' | 'percent' | 'state' | 'final' | 'timedOut'> {
  /** The public id: another one is another life of the upload. */
  life: string;
  /** The version that the client had named as seen. */
  since: number | undefined;
  sentAtMs: number;
  answeredAtMs: number;
}

/** Whether Redis has lost anything between the two moments; what was told before is not comparable with what is told after. */
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

/** What one client sees of one upload, held against what it was promised. */
export class ProgressChecker {
  readonly #lossBetween: LossBetween;
  readonly #offences: string[] = [];
  #last: Sighting | undefined;

  constructor(lossBetween: LossBetween) {
    this.#lossBetween = lossBetween;
  }

  get offences(): readonly string[] {
    return this.#offences;
  }

  /** The last that was seen. */
  get last(): Sighting | undefined {
    return this.#last;
  }

  /** @param mayRestart an earlier request of the client may still be on its way, and begin the upload anew */
  see(seen: Sighting, mayRestart: boolean): void {
    const last = this.#last;
    this.#last = seen;
    this.#judge(standsAlone(seen));
    if (last === undefined || this.#lossBetween(last.sentAtMs, seen.answeredAtMs)) return;
    this.#judge(follows(last, seen, mayRestart));
  }

  #judge(offence: string | undefined): void {
    if (offence !== undefined) this.#offences.push(offence);
  }
}

function standsAlone({ version, percent, state, final, timedOut, since }: Sighting): string | undefined {
  if (final !== isFinalState(state)) return `final is ${final} in state ${state}`;
  if (percent < 0 || percent > 100 || (percent === 100) !== (state === 'completed'))
    return `${percent} % in state ${state}`;
  if (since === version && !timedOut && !final) return `an answer without news at version ${version}`;
  return undefined;
}

function follows(last: Sighting, seen: Sighting, mayRestart: boolean): string | undefined {
  const step = `${describe(last)} → ${describe(seen)}`;
  if (seen.version < last.version) return `version went back: ${step}`;
  if (seen.life !== last.life) return mayRestart && last.state !== 'completed' ? undefined : `began anew: ${step}`;
  if (seen.version === last.version && (seen.state !== last.state || seen.percent !== last.percent))
    return `two results of one version: ${step}`;
  if (last.final && seen.state !== last.state) return `a final state changed: ${step}`;
  if (seen.percent < last.percent) return `percent went back: ${step}`;
  if (ORDER[seen.state] < ORDER[last.state]) return `state went back: ${step}`;
  return undefined;
}

function describe({ version, percent, state, life }: Sighting): string {
  return `${state} ${percent} % (version ${version}, ${life})`;
}
