import { MAX_DEATHS, MAX_FAULTS } from '../queue/contract.ts';
import { FIRST_STAGE } from './progress.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import type { RecordChanger } from './record-change.ts';

/** A job of the queue, which allows a worker to begin one upload. */
export interface Permit {
  readonly kind: string;
  readonly id: string;
  /** The permit that this one replaces. If the attempt that it has begun has not ended, the upload is begun again. */
  readonly replaces?: string | undefined;
}

/**
 * The outcome for the upload that was chosen. `nothing`: no upload of the kind can be taken. With `retryInMs` some
 * uploads pause, and the first pause ends after this time.
 */
export type Taken =
  | { readonly nothing: false; readonly outcome: ChangeOutcome }
  | { readonly nothing: true; readonly retryInMs: number | undefined };

/** Returns the arguments of the scripts that start an attempt. */
export function attemptArgs(changer: RecordChanger, permit?: Permit): (string | number | undefined)[] {
  return [FIRST_STAGE, MAX_FAULTS, MAX_DEATHS, changer.silenceMs, permit?.kind, permit?.id];
}

/** Begins the next upload for a permit, see `UploadRecords.take`. */
export async function takeNext(changer: RecordChanger, permit: Permit): Promise<Taken> {
  const outcome = await changer.take([...attemptArgs(changer, permit), permit.replaces]);
  return typeof outcome === 'object' ? { nothing: false, outcome } : { nothing: true, retryInMs: outcome };
}
