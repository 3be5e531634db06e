import { openRecordSpace, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';
import { useSpace } from './use-space.ts';

/** Opens records on the shared Redis for each test, or for the file. See `useSpace`. */
export function useRecords(per: 'test' | 'file', use: (space: RecordSpace) => void): void {
  useSpace(per, async () => await openRecordSpace(await sharedRedis()), use);
}
