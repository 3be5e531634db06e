import { extensionsOf } from '../kinds/file-extensions.ts';
import type { Kinds } from '../kinds/kinds.ts';
import type { ServiceLimits } from '../routes/limit-routes.ts';
import type { Config } from '../settings/config.ts';

/** Returns the limits of the settings, with the types of all kinds. */
export function serviceLimits(config: Config, kinds: Kinds, isDirectOffered: boolean): ServiceLimits {
  return {
    maxFileBytes: config.uploadMaxBytes,
    maxRequestBytes: config.uploadMaxRequestBytes,
    maxFilesPerRequest: config.uploadMaxFiles,
    types: kinds.types.map((type) => ({
      type,
      kind: kinds.find(type)?.name ?? '',
      extensions: [...extensionsOf(type)],
    })),
    retentionMs: config.retentionMs,
    direct: isDirectOffered,
  };
}
