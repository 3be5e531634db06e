import type { ServiceFigures } from '../wire/documents.ts';
import type { FailedUploads } from '../record/failed-uploads.ts';
import type { Heartbeat } from '../telemetry/process-registry.ts';
import type { JobCounts } from '../queue/upload-queue.ts';
import { readTenantFigures, type TenantFigureParts } from './tenant-figures.ts';
import type { UploadSets } from '../queue/upload-sets.ts';
import type { Space } from '../storage/disk-space.ts';
import type { RedisMemory } from '../telemetry/metrics.ts';
import { sumOfFailures, sumOfHours } from './recent-failures.ts';

/** Number of failures that are listed. The others are only counted. */
const SHOWN_FAILURES = 50;

interface FigureParts extends TenantFigureParts {
  heartbeat: Pick<Heartbeat, 'beat'>;
  /** The time by the clock of Redis. */
  nowMs: () => number;
  processes: () => Promise<ServiceFigures['processes']>;
  queue: { counts(): Promise<JobCounts> };
  sets: Pick<UploadSets, 'waitingSince' | 'waitingByKind'>;
  failed: Pick<FailedUploads, 'list'>;
  storage: () => Promise<Space | undefined>;
  redis: () => Promise<RedisMemory | undefined>;
  /** Maximum number of waiting uploads. */
  queueCapacity: number;
}

/** Reads the current figures of the whole service. Rejects with `service_unavailable` (503) while Redis is away. */
export async function readFigures(parts: FigureParts): Promise<ServiceFigures> {
  // After this the report of this process is up to date.
  await parts.heartbeat.beat();
  const [jobs, { count, oldestAtMs }, byKind, failures, tenants, reports, storage, redis] = await Promise.all([
    parts.queue.counts(),
    parts.sets.waitingSince(),
    parts.sets.waitingByKind(),
    parts.failed.list(SHOWN_FAILURES),
    readTenantFigures(parts),
    parts.processes(),
    parts.storage(),
    parts.redis(),
  ]);
  const nowMs = parts.nowMs();
  const oldestMs = oldestAtMs === null ? null : Math.max(0, Math.round(nowMs - oldestAtMs));
  return {
    at: new Date(nowMs).toISOString(),
    jobs,
    waiting: { count, byKind, capacity: parts.queueCapacity, oldestMs },
    lastHour: sumOfHours(reports),
    failuresByCode: sumOfFailures(reports),
    storage: storage ?? null,
    redis: redis ?? null,
    failures,
    tenants,
    processes: reports.map(({ lastHour: _hour, failures: _failures, ...report }) => report),
  };
}
