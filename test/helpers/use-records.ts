import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { openRecordSpace, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';

/**
 * Opens records on the shared Redis before each test, or once for the file, and closes them afterwards. `use` gets them
 * after they were opened. An `afterEach` that needs them must stand before this call.
 */
export function useRecords(per: 'test' | 'file', use: (space: RecordSpace) => void): void {
  const [before, after] = per === 'test' ? [beforeEach, afterEach] : [beforeAll, afterAll];
  let space: RecordSpace | undefined;
  before(async () => {
    space = await openRecordSpace(await sharedRedis());
    use(space);
  });
  after(async () => {
    await space?.close();
  });
}
