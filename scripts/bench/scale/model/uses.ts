import { EVENT_STREAM_LENGTH } from '../../../../src/queue/contract.ts';
import type { Costs } from '../costs/costs.ts';
import { apiUsPerUpload, BUSY, MACHINE, REDIS_BYTES, staffingOf, WATCHED, type Site, type Work } from './site.ts';

/** What may run out, as the tables call it. */
export type Limit =
  | 'worker CPU'
  | 'API CPU'
  | 'Redis CPU'
  | 'Redis memory'
  | 'Redis network'
  | 'stream length'
  | 'sockets'
  | 'network'
  | 'storage network';

const US_PER_SECOND = 1e6;

/** So long may an API process stand still, as in a collection of garbage, and find all events in the stream. */
const STALL_SECONDS = 1;

/** The default of `DEFERRED_MAX_HELD`. */
const MAX_HELD = 20_000;

/** How much of each limit is taken by so many uploads a second: 1 is all of it. All of it grows in proportion to the uploads. */
export function usesOf(costs: Costs, work: Work, site: Site, uploadsPerSecond: number): Record<Limit, number> {
  const { upload } = work;
  const queues = Math.min(site.queues, site.machines);
  const { apis, workers } = staffingOf(costs, work);
  // All that follows is of one queue, with its own Redis and its share of the machines.
  const perSecond = uploadsPerSecond / queues;
  const machines = site.machines / queues;
  const apiProcesses = machines * apis;
  const readers = site.bus === 'stream' ? apiProcesses : 0;
  const eventsPerSecond = perSecond * upload.events;
  const cpu = (us: number, cores: number) => us / (US_PER_SECOND * BUSY * cores);
  const network = (bytesPerSecond: number) => bytesPerSecond / (MACHINE.networkBytesPerSecond * BUSY);
  const readUs = site.bus === 'stream' ? eventsPerSecond * costs.event.readerUs : 0;
  const redisUs =
    upload.redisUs + WATCHED.answers * costs.answer.redisUs + upload.events * readers * costs.event.redisUsPerReader;
  // In and out of the API, to the worker and back, and out once more to whoever looks at what was made.
  const moved = 3 * upload.bytesIn + 2 * upload.bytesMade;
  return {
    'worker CPU': cpu(perSecond * upload.workerUs, machines * workers),
    'API CPU': cpu((perSecond * apiUsPerUpload(costs, upload)) / apiProcesses + readUs, 1),
    'Redis CPU': cpu(perSecond * redisUs, 1),
    'Redis memory': (perSecond * site.retentionSeconds * upload.recordBytes) / REDIS_BYTES,
    'Redis network': network(eventsPerSecond * readers * costs.event.bytesPerReader),
    'stream length': site.bus === 'stream' ? (eventsPerSecond * STALL_SECONDS) / EVENT_STREAM_LENGTH : 0,
    sockets: (perSecond * WATCHED.seconds) / apiProcesses / MAX_HELD,
    network: network((perSecond * moved) / machines),
    'storage network':
      site.storage === 'directory' && site.machines > 1 ? network(uploadsPerSecond * (moved - upload.bytesIn)) : 0,
  };
}

/** What a site carries, and what runs out first when it is asked for more. */
export interface Ceiling {
  readonly uploadsPerSecond: number;
  readonly limit: Limit;
}

export function ceilingOf(costs: Costs, work: Work, site: Site): Ceiling {
  const uses = Object.entries(usesOf(costs, work, site, 1)) as [Limit, number][];
  const [limit, use] = uses.reduce((most, one) => (one[1] > most[1] ? one : most));
  return { limit, uploadsPerSecond: 1 / use };
}

/** Connections to each Redis, whatever goes over them. */
export function connectionsOf(costs: Costs, work: Work, site: Site): number {
  const { apis, workers } = staffingOf(costs, work);
  const machines = site.machines / Math.min(site.queues, site.machines);
  return machines * (apis * costs.connections.api + workers * costs.connections.worker);
}
