import type { Costs, UploadCost } from '../costs/costs.ts';

/** A machine as it is counted with; `uses` of a part up to `BUSY` are taken for bearable. */
export const MACHINE = { cores: 8, networkBytesPerSecond: 1.25e9 } as const;
/** Of a processor or a network, the share that may be taken before others wait. */
export const BUSY = 0.7;
/** Of each Redis. */
export const REDIS_BYTES = 64 * 2 ** 30;

/** How long a client watches an upload, and how many held answers it gets until the last. */
export const WATCHED = { seconds: 30, answers: 2 } as const;

/** Of a kind of upload, what the model counts with. */
export interface Work {
  readonly title: string;
  readonly upload: UploadCost;
}

/** How an installation is set up. */
export interface Site {
  readonly machines: number;
  readonly bus: 'stream' | 'targeted';
  readonly storage: 'directory' | 'bucket';
  readonly retentionSeconds: number;
  /** Installations side by side, with a Redis each, among which uploads are dealt out by their ids. */
  readonly queues: number;
}

/** One machine's share of processes. */
export interface Staffing {
  readonly apis: number;
  readonly workers: number;
}

/** As many processes as cores, shared out by what they have to do; one of each at least. */
export function staffingOf(costs: Costs, { upload }: Work): Staffing {
  const apiUs = apiUsPerUpload(costs, upload);
  const share = Math.round((MACHINE.cores * apiUs) / (apiUs + upload.workerUs));
  const apis = Math.min(MACHINE.cores - 1, Math.max(1, share));
  return { apis, workers: MACHINE.cores - apis };
}

/** Of an API process, with the answers that the upload's client waits for. */
export function apiUsPerUpload({ answer }: Costs, upload: UploadCost): number {
  return upload.apiUs + WATCHED.answers * answer.apiUs;
}
