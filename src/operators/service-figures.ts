import type { ServiceFigures } from '../wire/documents.ts';
import type { FailedUploads } from '../record/failed-uploads.ts';
import type { Heartbeat } from '../telemetry/process-registry.ts';
import type { JobCounts } from '../queue/upload-queue.ts';
import type { UploadSets } from '../queue/upload-sets.ts';

/** Failures that are shown; the rest are counted. */
const SHOWN_FAILURES = 50;

/** Where the figures come from. */
export interface FigureParts {
  heartbeat: Pick<Heartbeat, 'beat'>;
  /** By the clock of Redis. */
  nowMs: () => number;
  processes: () => Promise<ServiceFigures['processes']>;
  queue: { counts(): Promise<JobCounts> };
  sets: Pick<UploadSets, 'waitingSince'>;
  failed: Pick<FailedUploads, 'list'>;
  /** Uploads that may wait. */
  queueCapacity: number;
}

/** The whole service as it is now. Rejects with `service_unavailable` (503) where Redis cannot be asked. */
export async function readFigures(parts: FigureParts): Promise<ServiceFigures> {
  // So that at least this process' own word is of now.
  await parts.heartbeat.beat();
  const [jobs, { count, oldestAtMs }, failures, processes] = await Promise.all([
    parts.queue.counts(),
    parts.sets.waitingSince(),
    parts.failed.list(SHOWN_FAILURES),
    parts.processes(),
  ]);
  const nowMs = parts.nowMs();
  const oldestMs = oldestAtMs === null ? null : Math.max(0, Math.round(nowMs - oldestAtMs));
  return {
    at: new Date(nowMs).toISOString(),
    jobs,
    waiting: { count, capacity: parts.queueCapacity, oldestMs },
    failures,
    processes,
  };
}
