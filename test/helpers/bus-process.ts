import { Registry } from '../../src/deferred/registry.ts';
import type { Progress } from '../../src/wire/documents.ts';
import { ProgressBus, type OpenEvents } from '../../src/record/bus.ts';
import type { ProgressState } from '../../src/record/progress.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { watchProgress } from '../../src/record/watch.ts';
import { eventually } from './eventually.ts';
import { silentLog } from './record-space.ts';

/** Far below the time of any wait, so an answer within it came from a wake. */
const WAKE_LIMIT_MS = 8_000;
const WAIT_MS = 600_000;

/** A wait for another version than the one seen. */
export interface HeldWait {
  /** Resolves with the answer. Rejects if no wake ends the wait. */
  answered(): Promise<Progress>;
  readonly isAnswered: boolean;
  /** Ends the wait, like a client that disconnects. */
  end(): void;
}

/** The parts with which an API process waits, without HTTP. */
export class BusProcess {
  readonly registry: Registry<ProgressState>;
  readonly bus: ProgressBus;
  readonly #records: Pick<UploadRecords, 'readProgress'>;

  constructor(records: Pick<UploadRecords, 'readProgress'>, open: OpenEvents) {
    this.#records = records;
    const fault = (error: unknown) => {
      throw error;
    };
    this.registry = new Registry<ProgressState>({ onFault: fault, listen: (ids) => this.bus.listen(ids) });
    this.bus = new ProgressBus(this.registry, open, silentLog);
  }

  /** Resolves when the wait is held or already answered. `records` replaces the records of the process. */
  async wait(id: string, seenVersion: number, records = this.#records): Promise<HeldWait> {
    const parts = { records, registry: this.registry, knownState: (asked: string) => this.bus.knownState(asked) };
    const result = await watchProgress(
      parts,
      { id, seenVersions: [seenVersion], timeoutMs: WAIT_MS },
      (progress) => progress,
    );
    const end = () => result.complete(() => undefined);
    return {
      end,
      get isAnswered() {
        return result.hasResult();
      },
      async answered() {
        await eventually(`a wake for ${id}`, () => result.hasResult(), WAKE_LIMIT_MS);
        end();
        return result.getResult() as Progress;
      },
    };
  }
}
