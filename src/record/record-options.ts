import type { Config } from '../settings/config.ts';
import { isCluster } from '../queue/redis-place.ts';
import type { RecordOptions } from './record-change.ts';

/** What all processes of an installation have to keep to alike, as the settings say. */
export function recordOptions(
  config: Pick<Config, 'retentionMs' | 'uploadSilenceMs' | 'eventBus' | 'redis'>,
): RecordOptions {
  const publish = config.redis !== undefined && isCluster(config.redis) ? 'SPUBLISH' : 'PUBLISH';
  return {
    retentionMs: config.retentionMs,
    silenceMs: config.uploadSilenceMs,
    ...(config.eventBus === 'targeted' ? { publish } : {}),
  };
}
