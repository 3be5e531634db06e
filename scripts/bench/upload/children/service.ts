import { basename } from 'node:path';
import { loadConfig } from '../../../../src/settings/config.ts';
import { createLog } from '../../../../src/telemetry/log.ts';
import { startApi } from '../../../../src/server/services.ts';
import { S3_CREDENTIALS } from '../../../../test/helpers/s3-server.ts';
import { serveUploads } from './serve-uploads.ts';
import { skipSyncs } from './skip-syncs.ts';

/** The limit is above the largest file that is sent. */
const MAX_BYTES = String(64 * 2 ** 30);

/** No worker runs, so all pictures stay in the queue. */
const QUEUE_CAPACITY = '1000000';

/**
 * A real API process with default settings, except for the size of files, the number of connections and the capacity.
 */
serveUploads(async ({ redisUrl, directory, settings, isDurable }) => {
  if (!isDurable) await skipSyncs(directory);
  if (settings['S3_ENDPOINT'] !== undefined) Object.assign(process.env, S3_CREDENTIALS);
  const config = loadConfig({
    PORT: '0',
    REDIS_URL: redisUrl,
    // Each storage belongs to an installation of its own.
    QUEUE_PREFIX: basename(directory),
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
