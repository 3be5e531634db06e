import { loadConfig } from '../../../../src/settings/config.ts';
import { createLog } from '../../../../src/telemetry/log.ts';
import { startApi } from '../../../../src/server/services.ts';
import { serveUploads } from './serve-uploads.ts';
import { skipSyncs } from './skip-syncs.ts';

/** Above the largest file that is sent. */
const MAX_BYTES = String(64 * 2 ** 30);

/** Nobody works the pictures off. */
const QUEUE_CAPACITY = '1000000';

/**
 * An API process as it is served, at its default settings but for the size of files and the number of connections and
 * of those that wait.
 */
serveUploads(async ({ redisUrl, directory, settings, isDurable }) => {
  if (!isDurable) await skipSyncs(directory);
  const config = loadConfig({
    PORT: '0',
    REDIS_URL: redisUrl,
    STORAGE: `file:${directory}`,
    UPLOAD_MAX_BYTES: MAX_BYTES,
    UPLOAD_MAX_REQUEST_BYTES: MAX_BYTES,
    UPLOAD_MAX_OPEN_PER_ADDRESS: '0',
    QUEUE_CAPACITY,
    ...settings,
  });
  const api = await startApi(config, createLog('api', config));
  return Number(new URL(api.url).port);
});
