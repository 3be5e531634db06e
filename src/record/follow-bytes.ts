import type { Registry } from '../deferred/registry.ts';
import type { ProgressState } from './progress.ts';
import { RecordSubscription } from './record-subscription.ts';
import type { UploadRecords } from './record.ts';

/** A transfer is followed after this time. Most files are sent sooner and cost no read of the record. */
const FOLLOW_AFTER_MS = 1_000;

/** The parts that are needed to follow a record. */
export interface FollowParts {
  records: Pick<UploadRecords, 'readProgress'>;
  registry: Registry<ProgressState>;
}

/**
 * Calls `end` once the bytes of the upload are no longer stored, because it was deleted or cancelled in any process.
 * The first second of a transfer is not followed. Returns the release, which is safe to call twice.
 */
export function followStoredBytes(
  { records, registry }: FollowParts,
  id: string,
  end: () => void,
  afterMs = FOLLOW_AFTER_MS,
): () => void {
  let isOver = false;
  const endOnce = (): void => {
    if (isOver) return;
    release();
    end();
  };
  const subscription = new RecordSubscription(registry, {
    ids: [id],
    get isDone() {
      return isOver;
    },
    async read() {
      // A record that is missing may come back from its manifest.
      if ((await records.readProgress(id))?.state.stored === false) endOnce();
    },
    changed({ stored }) {
      if (!stored) endOnce();
      return true;
    },
  });
  const timer = setTimeout(() => void subscription.open('retries'), afterMs);
  const release = (): void => {
    isOver = true;
    clearTimeout(timer);
    subscription.close();
  };
  return release;
}
