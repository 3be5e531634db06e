import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

/** The test files that take 5 seconds or more on two cores, the longest first. */
const LONG_FILES = [
  'e2e/pages.test.ts',
  'integration/storage-away.test.ts',
  'e2e/front-ends.test.ts',
  'e2e/page-network.test.ts',
  'integration/package.test.ts',
  'integration/worker-deaths.test.ts',
  'e2e/operators.test.ts',
  'integration/sweep.test.ts',
  'integration/tus-breaks.test.ts',
  'integration/s3.test.ts',
  'integration/worker-stops.test.ts',
  'integration/chaos.test.ts',
  'unit/storage/s3-faults.test.ts',
  'integration/refused-requests.test.ts',
  'integration/redis-faults.test.ts',
  'integration/redis-access.test.ts',
  'integration/default-settings.test.ts',
  'integration/rolling-restart.test.ts',
  'contract/event-bus.test.ts',
  'contract/storage.test.ts',
  'integration/standing-redis.test.ts',
  'integration/full-queue.test.ts',
  'integration/broken-senders.test.ts',
  'integration/start.test.ts',
  'integration/redis-cluster.test.ts',
  'redis/intake/form-cuts.test.ts',
  'integration/operators.test.ts',
  'integration/own-processors.test.ts',
  'integration/intake-limits.test.ts',
  'integration/redis-failover.test.ts',
  'integration/intake-memory.test.ts',
  'integration/hostile-pictures.test.ts',
  'integration/fleet.test.ts',
  'unit/regular-expressions.test.ts',
  'integration/tus.test.ts',
  'integration/installations.test.ts',
  'integration/exposure.test.ts',
  'unit/workers/picture/fuzz.test.ts',
  'e2e/client.test.ts',
  'integration/table-memory.test.ts',
  'integration/tus-expiry.test.ts',
  'unit/workers/isolation/run-isolated.test.ts',
  'redis/workers/create-worker.test.ts',
  'redis/compat/cluster-connect.test.ts',
  'integration/shutdown-deadline.test.ts',
  'unit/workers/own/run-module.test.ts',
  'integration/held-answers.test.ts',
  'redis/workers/worker.test.ts',
  'redis/workers/webhooks/webhook-sending.test.ts',
  'integration/embedded-redis.test.ts',
  'unit/telemetry/watchdog.test.ts',
  'integration/access.test.ts',
  'integration/tables.test.ts',
  'integration/webhooks.test.ts',
  'integration/clocks-apart.test.ts',
  'unit/workers/table/text.test.ts',
  'unit/workers/picture/heic.test.ts',
  'unit/workers/exec/run-program.test.ts',
];

const TESTS = fileURLToPath(new URL('..', import.meta.url));

const missing = LONG_FILES.filter((path) => !existsSync(join(TESTS, path)));
if (missing.length > 0) throw new Error(`remove from test/helpers/longest-first.mjs, or rename: ${missing.join(', ')}`);

/**
 * Starts the longest test files first, so that no core is idle at the end because a long file started last. Jest orders
 * by the durations of an earlier run, which a fresh clone does not have.
 */
export default class LongestFirst extends Sequencer {
  /** @param {readonly import('@jest/test-result').Test[]} tests */
  async sort(tests) {
    const sorted = await super.sort([...tests]);
    return sorted.sort((a, b) => rankOf(a) - rankOf(b));
  }
}

/** @param {{ readonly path: string }} test */
function rankOf({ path }) {
  const rank = LONG_FILES.indexOf(relative(TESTS, path));
  return rank === -1 ? LONG_FILES.length : rank;
}
