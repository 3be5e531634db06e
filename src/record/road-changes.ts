import type { ChangeOutcome } from './change-outcome.ts';
import type { RecordChanger } from './record-change.ts';
import type { Road } from './record-fields.ts';

/** A worker begins to fetch an upload at most this often: again after each death or stop of a worker. */
const MOST_FETCHES = 10;

/** The settings that come with the road of an upload. */
export interface RoadSettings {
  road: Road;
  /** The stage until the bytes are stored. Default `receive`. */
  stage?: string;
  /** The upload is due after this time without a report. Default: `RecordOptions.silenceMs`. */
  silenceMs?: number;
  /** The SHA-256 that the file must have, in lower-case hex. */
  sha256?: string;
  /** Position of the span of the request; undefined while tracing is off. */
  trace?: string | undefined;
}

/** Changes of receiving uploads whose bytes do not come through this service. */
export class RoadChanges {
  readonly #changer: RecordChanger;

  constructor(changer: RecordChanger) {
    this.#changer = changer;
  }

  /** Call it once, directly after the upload was opened. A later request with the same id removes the road. */
  async set(
    id: string,
    fencingToken: string,
    { road, stage, silenceMs, sha256, trace }: RoadSettings,
  ): Promise<ChangeOutcome> {
    const { silenceMs: defaultMs } = this.#changer;
    const args = [fencingToken, JSON.stringify(road), stage, silenceMs, defaultMs, sha256, trace];
    return await this.#changer.run('set-road', id, args);
  }

  /**
   * Begins to fetch the bytes from their start. Fences an earlier worker. Rejected with `state` if the upload has no
   * road any more, and with `exhausted` after `MOST_FETCHES`.
   */
  async beginFetch(id: string, fencingToken: string): Promise<ChangeOutcome> {
    return await this.#changer.run('begin-fetch', id, [fencingToken, MOST_FETCHES, this.#changer.silenceMs]);
  }
}
