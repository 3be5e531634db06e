import { createKinds } from '../../src/kinds/kinds.ts';
import { PublicAddresses } from '../../src/http/public-address.ts';
import type { Redis } from '../../src/queue/connection.ts';
import type { QueueKeys } from '../../src/queue/contract.ts';
import { ImportQueue } from '../../src/roads/import/import-queue.ts';
import type { Config } from '../../src/settings/config.ts';
import type { ProcessorTable } from '../processors.ts';
import { ImportWorker, type ImportWorkerParts } from './import-worker.ts';
import { silentVisitor, type VisitParts, type VisitSilent } from './visit-silent.ts';

/** The work of this process on uploads whose bytes do not come through an API process. */
export interface RoadWork {
  readonly visitSilent: VisitSilent;
  /** Starts to take imports. */
  start(): void;
  /** Stops fetching an upload that was cancelled or deleted. */
  cancel(id: string): void;
  /** Lets running imports finish for up to `graceMs`. Another process begins the rest again. */
  close(graceMs: number): Promise<void>;
}

/** The parts that are shared with the rest of the process. */
interface RoadWorkParts extends Omit<VisitParts, 'kinds' | 'imports'>, Pick<ImportWorkerParts, 'tracing'> {
  readonly connection: Redis;
  readonly keys: QueueKeys;
}

/** Builds the work on uploads whose bytes do not come through an API process. */
export function buildRoadWork(
  config: Config,
  shared: RoadWorkParts,
  { accepted: kinds = createKinds(config) }: Pick<ProcessorTable, 'accepted'>,
): RoadWork {
  const imports = new ImportQueue(shared.connection, shared.keys, shared.log);
  let worker: ImportWorker | undefined;
  return {
    visitSilent: silentVisitor(config, { ...shared, kinds, imports }),
    start() {
      worker = new ImportWorker({
        ...shared,
        kinds,
        addresses: new PublicAddresses(config.importAllow),
        hashes: true,
        maxFileBytes: config.uploadMaxBytes,
        stallMs: config.uploadStallTimeoutMs,
        timeoutMs: config.importTimeoutMs,
      });
    },
    cancel: (id) => worker?.cancel(id),
    async close(graceMs) {
      await worker?.close(graceMs);
      await imports.close();
    },
  };
}
