/**
 * What both sides of the queue agree on: names, keys and the data of a job.
 * Every key of an installation holds the same hash tag, so that one script may touch
 * record, waiting set and event stream on a Redis Cluster too.
 */

/** The one BullMQ queue; its jobs bear the ids of their uploads. */
export const QUEUE_NAME = 'uploads';

/** The record leads and the job follows: the job says which upload, everything else is read from the record. */
export interface UploadJobData {
  id: string;
  /** Of the request that sent it, for the worker's log; absent where a sweep added the job. */
  requestId?: string;
}

/** How often a fault of ours may end an attempt before the upload is given up as `processing_failed`. */
export const MAX_FAULTS = 5;

/** How often an attempt may end without a word, which may be its neighbours' doing, before the same. */
export const MAX_DEATHS = 10;

/** BullMQ trims its event stream to about this many entries. */
export const EVENT_STREAM_LENGTH = 10_000;

/** `SPUBLISH` reaches the nodes of one shard of a cluster, `PUBLISH` all nodes. */
export type PublishCommand = 'PUBLISH' | 'SPUBLISH';

/** The Redis keys of one installation. */
export interface QueueKeys {
  /** BullMQ's `prefix` option. */
  readonly bullPrefix: string;
  /** BullMQ's event stream, which the records' scripts write to as well. */
  readonly events: string;
  /** Sorted set of waiting uploads by the time at which they were queued, in ms by the clock of Redis; oldest first. */
  readonly waiting: string;
  /** Hash of client addresses and how many of the waiting uploads are theirs. */
  readonly waitingByAddress: string;
  /** Hash of stretches of time and how many uploads have left the waiting set in each. */
  readonly drained: string;
  /** Sorted set of uploads that somebody has to look after, by the time when it is due. */
  readonly due: string;
  /** String with the worker that runs the janitor, or ran it last; expires when the next sweep is due. */
  readonly janitor: string;
  /** Hash of how far the waiting uploads were compared with the jobs. */
  readonly compared: string;
  /** Sorted set of all records with their owners, by when Redis drops them. */
  readonly records: string;
  /** Hash of owners and how many of the records are theirs. */
  readonly recordOwners: string;
  /** Hash of due uploads that could not be looked after, and how often in a row. */
  readonly putOff: string;
  /** The run of Redis in which all stored uploads were found to have records; gone where that is too long ago. */
  readonly reconciled: string;
  /** String with the id of the installation, which the marker in the storage names too. */
  readonly installation: string;
  /** There while a process makes that marker. */
  readonly installationLock: string;
  /** How many uploads the next reconciliation scan may remove, if an operator allows an unusual number. */
  readonly removalPermit: string;
  /** Sorted set of uploads that failed in a way that another try may mend, by when. */
  readonly failed: string;
  /** Sorted set of the processes of the service, by when they last told of themselves. */
  readonly processes: string;
  /** Channel on which cancelled and deleted uploads are called out to the workers. */
  readonly cancelChannel: string;
  /** Channel on which the changes of an upload are published, where there are listeners of that kind. */
  changeChannel(id: string): string;
  /** Hash with the record of an upload. */
  record(id: string): string;
  /** String with the upload's id. */
  publicId(publicId: string): string;
  /** String with the token of the request that changes a resumable upload now. */
  uploadLock(id: string): string;
  /** String with what a process tells of itself; gone where it has not for a while. */
  process(id: string): string;
  /** There while another request waits for that lock. */
  uploadLockWanted(id: string): string;
}

/** Keys for a `QUEUE_PREFIX`. */
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
    compared: `${bullPrefix}:compared`,
    records: `${bullPrefix}:records`,
    recordOwners: `${bullPrefix}:record-owners`,
    putOff: `${bullPrefix}:put-off`,
    reconciled: `${bullPrefix}:reconciled`,
    installation: `${bullPrefix}:installation`,
    installationLock: `${bullPrefix}:installation-lock`,
    removalPermit: `${bullPrefix}:scan-may-remove`,
    failed: `${bullPrefix}:failed`,
    processes: `${bullPrefix}:processes`,
    cancelChannel: `${bullPrefix}:cancel`,
    changeChannel: (id) => `${bullPrefix}:changed:${id}`,
    record: (id) => `${bullPrefix}:record:${id}`,
    publicId: (publicId) => `${bullPrefix}:public:${publicId}`,
    process: (id) => `${bullPrefix}:process:${id}`,
    uploadLock: (id) => `${bullPrefix}:lock:${id}`,
    uploadLockWanted: (id) => `${bullPrefix}:lock-wanted:${id}`,
  };
}
