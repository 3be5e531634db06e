import type { ServiceFigures } from '../../wire/documents.ts';
import { formatBytes } from '../format.ts';
import { formatAge, formatCount } from './format-figures.ts';

/** An upload that waits for longer than this needs attention. */
const OLD_MS = 5 * 60_000;

const NEARLY_FULL = 0.9;
const LITTLE_SPACE_BYTES = 1e9;

/** Returns sentences about problems that an operator should solve, the most urgent first. */
export function warningsOf(figures: Pick<ServiceFigures, 'waiting' | 'storage' | 'redis'>): string[] {
  const { waiting, storage, redis } = figures;
  return [...ofStorage(storage), ...ofRedis(redis), ...ofQueue(waiting)];
}

function ofStorage(storage: ServiceFigures['storage']): string[] {
  if (storage === null) return [];
  const { freeBytes, totalBytes } = storage;
  if (freeBytes >= LITTLE_SPACE_BYTES && freeBytes >= totalBytes * (1 - NEARLY_FULL) * 0.5) return [];
  return [`The storage has ${formatBytes(freeBytes, 'en-GB')} left. Add space, or lower RETENTION_MS.`];
}

function ofRedis(redis: ServiceFigures['redis']): string[] {
  if (redis === null || redis.maxBytes === null || redis.usedBytes < NEARLY_FULL * redis.maxBytes) return [];
  const used = Math.round((100 * redis.usedBytes) / redis.maxBytes);
  return [`Redis uses ${used} % of its memory. Raise maxmemory: a full Redis rejects uploads.`];
}

function ofQueue({ count, capacity, oldestMs }: ServiceFigures['waiting']): string[] {
  const warnings: string[] = [];
  if (count >= NEARLY_FULL * capacity)
    warnings.push(
      `${formatCount(count)} of ${formatCount(capacity)} places of the queue are taken. Start more workers.`,
    );
  if (oldestMs !== null && oldestMs > OLD_MS)
    warnings.push(
      `The oldest upload has waited for ${formatAge(oldestMs)}. Start more workers, or check WORKER_KINDS.`,
    );
  return warnings;
}
