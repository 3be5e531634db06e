/**
 * What the API and the workers share: names, keys and the data of a job. All keys of an installation have the same hash
 * tag, so that one script may change record, waiting set and event stream in a Redis Cluster too.
 */

/** The kind of uploads whose type no other kind takes. Every worker serves it. */
export const OTHER_KIND = 'other';

/** Name of the event stream, and of the BullMQ queue of `OTHER_KIND`. Older versions had only this queue. */
export const QUEUE_NAME = 'uploads';

/** The BullMQ queue of webhooks. */
export const DELIVERY_QUEUE_NAME = 'webhooks';

/** The BullMQ queue of uploads that a worker has to fetch. */
export const IMPORT_QUEUE_NAME = 'imports';

/** Returns the name of the BullMQ queue of a kind. */
export function queueNameOf(kind: string): string {
  return kind === OTHER_KIND ? QUEUE_NAME : `${QUEUE_NAME}-${kind}`;
}

/** A job is a permit: it allows a worker to begin one upload of a kind. The record's script chooses the upload. */
export interface PermitData {
  /** The permit that this one replaces. If the attempt that it has begun has not ended, the upload is begun again. */
  permit?: string;
  /** The only upload that may be begun. Only jobs of older versions have it. */
  id?: string;
}

/** After this many attempts with a fault of the service, the upload fails as `processing_failed`. */
export const MAX_FAULTS = 5;

/**
 * After this many attempts without a report, the upload fails too. Another upload in the same process may have caused
 * them.
 */
export const MAX_DEATHS = 10;

/** BullMQ trims its event stream to about this many entries. */
export const EVENT_STREAM_LENGTH = 10_000;

/** Length of the event streams of BullMQ that nothing reads. */
export const JOB_EVENTS_LENGTH = 100;

/** `SPUBLISH` reaches the nodes of one shard of a cluster, `PUBLISH` all nodes. */
export type PublishCommand = 'PUBLISH' | 'SPUBLISH';

/** The Redis keys of one installation. */
export interface QueueKeys {
  /** BullMQ's `prefix` option. */
  readonly bullPrefix: string;
  /** BullMQ's event stream. The scripts of records write to it too. */
  readonly events: string;
  /** Sorted set of waiting uploads of all kinds. The score is the time at which they were queued, by Redis' clock. */
  readonly waiting: string;
  /** Hash from client address to the number of its waiting uploads. */
  readonly waitingByAddress: string;
  /** Hash from period to the number of uploads that left the waiting set in it. */
  readonly drained: string;
  /** Sorted set of uploads that the janitor must handle. The score is the time at which they are due. */
  readonly due: string;
  /** String with the worker that runs the janitor or ran it last. Expires when the next run is due. */
  readonly janitor: string;
  /** Prefix of the keys that hold the order of waiting uploads; see `scripts/parts/order.lua`. */
  readonly fair: string;
  /** Set of the kinds of which an upload has waited. */
  readonly kinds: string;
  /** Hash with the state of the comparison between waiting uploads and their records. */
  readonly compared: string;
  /** Sorted set of all records and their owners. The score is the time at which Redis drops them. */
  readonly records: string;
  /** Hash from owner to the number of its records. */
  readonly recordOwners: string;
  /** Start of the keys that count what tenants use; see `scripts/parts/use.lua` of the records. */
  readonly tenants: string;
  /** Hash from due upload to the number of failures in a row to handle it. */
  readonly putOff: string;
  /** String with the run id of Redis at the last reconciliation scan. Missing or another value if one is due. */
  readonly reconciled: string;
  /** String with the id of the installation, which is also in the storage's marker. */
  readonly installation: string;
  /** Lock of the process that creates the storage's marker. */
  readonly installationLock: string;
  /** Number of uploads that an operator allows the next reconciliation scan to remove. */
  readonly removalPermit: string;
  /** Sorted set of failed uploads that may be retried. The score is the time of the failure. */
  readonly failed: string;
  /** Stream of final uploads whose webhooks have no job yet. */
  readonly outbox: string;
  /** Sorted set of webhooks that are not delivered yet. The score is the time of their event. */
  readonly pendingDeliveries: string;
  /** Hash from outcome to the number of tries to deliver a webhook. */
  readonly deliveryCounts: string;
  /** Hash from endpoint to the digest of its settings at the time at which it answered 410. */
  readonly stoppedEndpoints: string;
  /** Sorted set of processes. The score is the time of their last heartbeat. */
  readonly processes: string;
  /** Channel on which the ids of cancelled and deleted uploads are published to workers. */
  readonly cancelChannel: string;
  /** Channel on which the changes of an upload are published, with `EVENT_BUS=targeted`. */
  changeChannel(id: string): string;
  /** Hash with the record of an upload. */
  record: (id: string) => string;
  /** String with the result of an upload as JSON, if the record does not have it because it is large. */
  result: (id: string) => string;
  /** Sorted set of the uploads of a tenant. The score is the time at which they were created. */
  tenantUploads(tenant: string): string;
  /** String with the upload's id. */
  publicId(publicId: string): string;
  /** String with the token of the request that holds the lock of a resumable upload. */
  uploadLock(id: string): string;
  /** String with the last heartbeat of a process. Expires if the heartbeats end. */
  process(id: string): string;
  /** String that exists while another request waits for the lock of a resumable upload. */
  uploadLockWanted(id: string): string;
}

/** Returns the keys for a `QUEUE_PREFIX`. */
export function queueKeys(queuePrefix: string): QueueKeys {
  const bullPrefix = `{${queuePrefix}}`;
  return {
    bullPrefix,
    events: `${bullPrefix}:${QUEUE_NAME}:events`,
    waiting: `${bullPrefix}:waiting`,
    waitingByAddress: `${bullPrefix}:waiting-by-address`,
    drained: `${bullPrefix}:drained`,
    due: `${bullPrefix}:due`,
    janitor: `${bullPrefix}:janitor`,
    fair: `${bullPrefix}:fair:`,
    kinds: `${bullPrefix}:fair:kinds`,
    compared: `${bullPrefix}:compared`,
    records: `${bullPrefix}:records`,
    recordOwners: `${bullPrefix}:record-owners`,
    tenants: `${bullPrefix}:tenants`,
    putOff: `${bullPrefix}:put-off`,
    reconciled: `${bullPrefix}:reconciled`,
    installation: `${bullPrefix}:installation`,
    installationLock: `${bullPrefix}:installation-lock`,
    removalPermit: `${bullPrefix}:scan-may-remove`,
    failed: `${bullPrefix}:failed`,
    outbox: `${bullPrefix}:outbox`,
    pendingDeliveries: `${bullPrefix}:pending-deliveries`,
    deliveryCounts: `${bullPrefix}:delivery-counts`,
    stoppedEndpoints: `${bullPrefix}:stopped-endpoints`,
    processes: `${bullPrefix}:processes`,
    cancelChannel: `${bullPrefix}:cancel`,
    changeChannel: (id) => `${bullPrefix}:changed:${id}`,
    record: (id) => `${bullPrefix}:record:${id}`,
    result: (id) => `${bullPrefix}:result:${id}`,
    tenantUploads: (tenant) => `${bullPrefix}:tenants:uploads:${tenant}`,
    publicId: (publicId) => `${bullPrefix}:public:${publicId}`,
    process: (id) => `${bullPrefix}:process:${id}`,
    uploadLock: (id) => `${bullPrefix}:lock:${id}`,
    uploadLockWanted: (id) => `${bullPrefix}:lock-wanted:${id}`,
  };
}
