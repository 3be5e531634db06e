import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { IsTrustedProxy } from '../http/trusted-proxies.ts';
import type { DeliveryQueue } from '../delivery/delivery-queue.ts';
import type { Logger } from '../telemetry/log.ts';
import { readProcesses, type Heartbeat } from '../telemetry/process-registry.ts';
import { FailedUploads, type FailedUploadParts } from '../record/failed-uploads.ts';
import type { UploadQueue } from '../queue/upload-queue.ts';
import { UploadSets } from '../queue/upload-sets.ts';
import type { Access } from '../access/access.ts';
import type { ScriptRunner } from '../queue/backlog.ts';
import { readUse } from '../record/quota.ts';
import { readRedisMemory } from '../queue/redis-memory.ts';
import type { Space } from '../storage/disk-space.ts';
import { findUploads } from './find-uploads.ts';
import type { OperatorRouteParts } from '../routes/operator-routes.ts';
import { loadOperatorsAssets } from '../page/assets.ts';
import { operatorGuard } from './operator-guard.ts';
import { readFigures } from './service-figures.ts';

/** Number of webhooks that are listed. */
const SHOWN_DELIVERIES = 50;

/** The parts that the operators' routes share with the rest of the process. */
interface OperatorsParts extends FailedUploadParts {
  access: Pick<Access, 'tenants'>;
  store: ScriptRunner;
  queue: Pick<UploadQueue, 'add' | 'counts'>;
  deliveries: Pick<DeliveryQueue, 'list' | 'replay'>;
  heartbeat: Pick<Heartbeat, 'beat'>;
  /** Maximum number of uploads that wait for a worker. */
  queueCapacity: number;
  readSpace: () => Promise<Space | undefined>;
  addressOf: (request: IncomingMessage) => string;
  isTrustedProxy: IsTrustedProxy;
  log: Logger;
}

/** The guard that asks for the token, and the parts of the operators' routes. */
export interface Operators extends OperatorRouteParts {
  guard: Middleware;
}

/** Builds the guard and the parts of the operators' routes. */
export async function openOperators(parts: OperatorsParts, token: string, retentionMs: number): Promise<Operators> {
  const { access, connection, keys, store, records, queue, deliveries, heartbeat } = parts;
  const { queueCapacity, addressOf, isTrustedProxy, log, readSpace } = parts;
  const failed = new FailedUploads(parts, retentionMs);
  const sets = new UploadSets(connection, keys);
  return {
    guard: operatorGuard({ token, addressOf, isTrustedProxy, log }),
    readFigures: () =>
      readFigures({
        heartbeat,
        nowMs: () => records.nowMs(),
        tenants: () => access.tenants?.all,
        readUse: (names) => readUse({ store, keys }, names),
        processes: () => readProcesses(connection, keys),
        queue,
        sets,
        failed,
        queueCapacity,
        storage: readSpace,
        redis: () => readRedisMemory(connection),
      }),
    find: (text) => findUploads({ connection, keys, records }, text),
    retry: (id) => failed.retry(id),
    retryListed: (ref) => failed.retryListed(ref),
    listDeliveries: (state) => deliveries.list(state, SHOWN_DELIVERIES, records.nowMs()),
    replay: async (id) => {
      await deliveries.replay(id);
      log.info({ delivery: id }, 'failed webhook sent again');
    },
    assets: await loadOperatorsAssets(),
  };
}
