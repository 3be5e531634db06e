import { PublicAddresses } from '../http/public-address.ts';
import { Transfers } from '../http/transfers.ts';
import { Admission } from '../intake/admission.ts';
import { CreationRate } from '../intake/creation-rate.ts';
import type { IntakeParts } from '../intake/incoming-upload.ts';
import { UploadIntake, type IntakeSettings } from '../intake/intake.ts';
import { UploadRemoval } from '../intake/removal.ts';
import type { Kinds } from '../kinds/kinds.ts';
import type { Backlog } from '../queue/backlog.ts';
import { DirectUploads } from '../roads/direct/direct-uploads.ts';
import { ImportIntake, mayImportOpenly } from '../roads/import/import-intake.ts';
import { ResumableEndpoint } from '../roads/resumable/resumable-endpoint.ts';
import { TusEndpoint, type TusParts } from '../roads/tus/tus-endpoint.ts';
import { checkQuota } from '../record/quota.ts';
import { countRecords } from '../record/record-count.ts';
import type { ServiceLimits } from '../routes/limit-routes.ts';
import type { Config } from '../settings/config.ts';
import type { Storage } from '../storage/storage.ts';
import { tracedStorage } from '../storage/traced-storage.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Span } from '../telemetry/tracing.ts';
import type { RedisParts } from './redis-parts.ts';
import { serviceLimits } from './service-limits.ts';

interface IntakeServices {
  readonly intake: UploadIntake;
  readonly roadsOf: (span: Span) => Roads;
  readonly imports: ImportIntake;
  readonly transfers: Transfers;
  readonly limits: ServiceLimits;
  readonly maxArchiveBytes: number;
}

/** The parts that open no spans themselves. While tracing is on, each request has a set with a traced storage. */
interface Roads {
  readonly removal: UploadRemoval;
  readonly tus: TusEndpoint;
  /** The resumable uploads of the IETF. Undefined if they are off. */
  readonly resumable: ResumableEndpoint | undefined;
  readonly direct: DirectUploads;
}

interface IntakeSources {
  redis: RedisParts;
  storage: Storage;
  kinds: Kinds;
  backlog: Backlog;
  metrics: Metrics;
  listen: IntakeParts['listen'];
  /** True if the process belongs to another application. */
  isEmbedded: boolean;
  log: Logger;
}

/** Builds the intake of forms and raw bodies, the other roads and the removal of uploads. */
export function buildIntake(config: Config, sources: IntakeSources): IntakeServices {
  const { redis, storage, kinds, listen, log } = sources;
  const { records, queue, store, keys } = redis;
  const parts: IntakeParts = {
    records,
    storage,
    kinds,
    queue,
    admission: createAdmission(config, sources),
    hashes: config.uploadHash === 'api',
    listen,
  };
  const intake = new UploadIntake(parts, intakeSettings(config));
  const transfers = new Transfers();
  const roads = { ...parts, intake, store, keys, transfers, log };
  const shared = buildRoads(config, roads);
  const imports = new ImportIntake({
    ...parts,
    queue: redis.imports,
    addresses: new PublicAddresses(config.importAllow),
    isOpenToAll: mayImportOpenly(config, sources.isEmbedded),
  });
  const { archiveMaxBytes: maxArchiveBytes } = config;
  const limits = serviceLimits(config, kinds, shared.direct.isOffered);
  // While tracing is off, all requests share one set of roads. Otherwise each request has a set of its own.
  const roadsOf = (span: Span): Roads =>
    span.isOn ? buildRoads(config, { ...roads, storage: tracedStorage(storage, span) }) : shared;
  return { intake, roadsOf, imports, transfers, limits, maxArchiveBytes };
}

function buildRoads(
  { resumableUploads, uploadMaxBytes: maxFileBytes, uploadExpiryMs: expiryMs }: Config,
  parts: Omit<TusParts, 'removal' | 'maxFileBytes' | 'expiryMs'> & { transfers: Transfers; log: Logger },
): Roads {
  const removal = new UploadRemoval(parts);
  const tusParts = { ...parts, removal, maxFileBytes, expiryMs };
  return {
    removal,
    tus: new TusEndpoint(tusParts),
    resumable: resumableUploads === 'on' ? new ResumableEndpoint(tusParts) : undefined,
    direct: new DirectUploads(tusParts),
  };
}

function createAdmission(config: Config, { redis, backlog, metrics }: IntakeSources): Admission {
  return new Admission({
    bounds: {
      capacity: config.queueCapacity,
      overflow: config.queueOverflow,
      capacityPerAddress: config.queueCapacityPerAddress,
    },
    backlog,
    records: { max: config.recordsMax, maxPerAddress: config.recordsMaxPerAddress },
    rate: new CreationRate(config.createPerMinutePerAddress),
    countRecords: (owner) => countRecords(redis.store, redis.keys, owner),
    checkQuota: (owner, receivedBytes) => checkQuota(redis, owner, receivedBytes),
    isRedisReady: () => redis.store.isAnswering,
    onRejected: (code) => metrics.queueRefused(code),
    onDiscarded: () => metrics.queueDiscarded(),
  });
}

function intakeSettings(config: Config): IntakeSettings {
  return {
    maxFileBytes: config.uploadMaxBytes,
    maxRequestBytes: config.uploadMaxRequestBytes,
    maxFiles: config.uploadMaxFiles,
    maxFields: config.uploadMaxFields,
    maxFieldBytes: config.uploadMaxFieldBytes,
    stallTimeoutMs: config.uploadStallTimeoutMs,
    minBytesPerS: config.uploadMinBytesPerS,
    maxOpen: config.uploadMaxOpen,
    maxOpenPerAddress: config.uploadMaxOpenPerAddress,
  };
}
