import { readdirSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Redis } from 'ioredis';
import { isFinalState } from '../../src/wire/documents.ts';
import { decodeRecord, type UploadRecord } from '../../src/record/record-fields.ts';
import { MARKER_KEY, isOfFencingToken, partOffset, attemptPrefix } from '../../src/storage/keys.ts';
import { eventually } from './eventually.ts';
import type { Service, ServiceProcess } from './service.ts';
import { heldInMetrics } from './held-in-metrics.ts';

/** Open descriptors of each API process, by its pid. */
export type Baseline = ReadonlyMap<number, Descriptors>;

interface Descriptors {
  sockets: number;
  others: number;
}

/** Number of connections that clients such as fetch keep for the next request. */
const KEPT_ALIVE = 16;

/** The thread of the watchdog opens these some time after the process is ready. */
const OF_EVENT_LOOPS = /^(?:anon_inode|pipe):/;

const GAUGES = ['deferred_uploads_waiters', 'deferred_uploads_receiving'];
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

/** The parts of a service that are checked. */
export interface CheckedService extends Pick<Service, 'apis' | 'directory'> {
  redis: Pick<Service['redis'], 'url'>;
}

/** Returns the open descriptors, with which `expectNothingLeft` compares. */
export function takeBaseline(service: Pick<CheckedService, 'apis'>): Baseline {
  return new Map(livingApis(service).map(({ child }) => [child.pid ?? 0, descriptorsOf(child.pid ?? 0)]));
}

/**
 * Waits until failed uploads have left nothing. Fails with a list of leftovers: orphan files, keys of Redis that belong
 * to no upload or never expire, held responses, bodies that are being received, and descriptors.
 * @param baseline from the start. Without it only descriptors in the directory of the storage count.
 */
export async function expectNothingLeft(
  service: CheckedService,
  baseline?: Baseline,
  withinMs?: number,
): Promise<void> {
  const redis = new Redis(service.redis.url);
  let left: string[] = [];
  try {
    await eventually(
      'nothing to be left',
      async () => {
        const records = await readRecords(redis);
        left = [
          ...(await orphanFiles(service.directory, records)),
          ...(await orphanKeys(redis, records)),
          ...(await Promise.all(livingApis(service).map(busyGauges))).flat(),
          ...livingApis(service).flatMap((api) => openDescriptors(api, service.directory, baseline)),
        ];
        return left.length === 0;
      },
      withinMs,
    );
  } catch (error) {
    throw new Error(`left: ${left.join('\n')}`, { cause: error });
  } finally {
    redis.disconnect();
  }
}

function livingApis(service: Pick<CheckedService, 'apis'>): ServiceProcess[] {
  return service.apis.filter(({ child }) => child.exitCode === null && child.signalCode === null);
}

type Records = ReadonlyMap<string, UploadRecord>;

async function readRecords(redis: Redis): Promise<Records> {
  const keys = await redis.keys('{*}:record:*');
  const read = await Promise.all(
    keys.map(async (key): Promise<[string, UploadRecord] | undefined> => {
      const id = key.split(':').at(-1) ?? '';
      const fields = await redis.hgetall(key);
      return fields['state'] === undefined ? undefined : [id, decodeRecord(id, fields)];
    }),
  );
  return new Map(read.filter((entry) => entry !== undefined));
}

/**
 * Returns the files that no record names, and empty folders. If a folder is removed while it is read, it is read again.
 */
async function orphanFiles(directory: string, records: Records): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return ['a folder that is going'];
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((key) => !key.startsWith(MARKER_KEY));
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  const empty = folders.filter((folder) => !files.some((file) => file.startsWith(`${folder}${sep}`)));
  return [
    ...files.filter((key) => !isNamed(key, records)).map((key) => `file ${key}`),
    ...empty.map((folder) => `folder ${folder}`),
  ];
}

function isNamed(key: string, records: Records): boolean {
  const record = records.get(key.split('/')[1] ?? '');
  if (record === undefined || record.deleted || key.endsWith('.part')) return false;
  if (record.state === 'receiving') return record.metadata !== null && partOffset(key) !== undefined;
  if (!record.stored) return false;
  const isOfAttempt = !isFinalState(record.state) && key.startsWith(`${attemptPrefix(record.id, record.attempt)}/`);
  return (
    isOfFencingToken(key, record.id, record.fencingToken) ||
    isOfAttempt ||
    Object.values(record.variants).some((variant) => variant.key === key)
  );
}

async function orphanKeys(redis: Redis, records: Records): Promise<string[]> {
  const keys = await redis.keys('*');
  const found = await Promise.all(
    keys.map(async (key) => ((await isKnownKey(redis, key, records)) ? [] : [`key ${key}`])),
  );
  const members = await Promise.all(
    ['waiting', 'due', 'fair:line:', 'fair:paused:'].map(async (name) => {
      const sets = keys.filter((key) => (name.endsWith(':') ? key.includes(`}:${name}`) : key.endsWith(`}:${name}`)));
      const ids = (await Promise.all(sets.map((set) => redis.zrange(set, '0', '-1')))).flat();
      return ids
        .filter((id) => !records.has(id) || (name !== 'due' && records.get(id)?.state !== 'queued'))
        .map((id) => `${id} in ${name}`);
    }),
  );
  return [...found.flat(), ...members.flat()];
}

/**
 * Returns whether a key may stay. Keys without the id of an upload belong to the installation, and their number does
 * not grow.
 */
async function isKnownKey(redis: Redis, key: string, records: Records): Promise<boolean> {
  const [, kind = '', name = ''] = key.split(':');
  // The key of a living process expires soon after its end.
  if (kind === 'process') return (await redis.pttl(key)) > 0;
  if (kind === 'public') return [...records.values()].some((record) => record.publicId === name);
  const id = UUID.exec(key)?.[0];
  if (id === undefined) return true;
  const record = records.get(id);
  // A record that does not have its result has an undefined one.
  if (kind === 'result') return record !== undefined && record.result === undefined && (await redis.pttl(key)) > 0;
  if (kind === 'record') return record !== undefined && (await isExpectedRecord(redis, key, record));
  // The job of an upload that is not final yet.
  if (kind === 'uploads') return record !== undefined && !isFinalState(record.state);
  // Other keys must expire. A lock is held only while a request runs.
  return !kind.startsWith('lock') && (await redis.pttl(key)) > 0;
}

/**
 * Returns whether a record will be removed. A final record expires. Every other record must be in a set that the
 * janitor reads.
 */
async function isExpectedRecord(redis: Redis, key: string, record: UploadRecord): Promise<boolean> {
  if (isFinalState(record.state)) return (await redis.pttl(key)) > 0;
  const prefix = key.slice(0, key.indexOf(':'));
  const set = record.state === 'queued' ? 'waiting' : 'due';
  return (await redis.zscore(`${prefix}:${set}`, record.id)) !== null;
}

async function busyGauges({ url }: ServiceProcess): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = GAUGES.map((name) => `${name} ${new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 'missing'}`);
  return [...values, `held ${heldInMetrics(text)}`].filter((line) => !line.endsWith(' 0'));
}

function descriptorsOf(pid: number): Descriptors {
  const targets = targetsOf(pid).filter((target) => !OF_EVENT_LOOPS.test(target));
  const sockets = targets.filter((target) => target.startsWith('socket:')).length;
  return { sockets, others: targets.length - sockets };
}

function targetsOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))];
    } catch {
      // The descriptor was closed after it was listed.
      return [];
    }
  });
}

function openDescriptors({ child }: ServiceProcess, directory: string, baseline: Baseline | undefined): string[] {
  const pid = child.pid ?? 0;
  const files = targetsOf(pid)
    .filter((target) => target.startsWith(directory))
    .map((target) => `open file ${target}`);
  const before = baseline?.get(pid);
  if (before === undefined) return files;
  const now = descriptorsOf(pid);
  const sockets =
    now.sockets > before.sockets + KEPT_ALIVE ? [`${now.sockets} sockets, at the start ${before.sockets}`] : [];
  return [
    ...files,
    ...sockets,
    ...(now.others > before.others ? [`${now.others} descriptors, at the start ${before.others}`] : []),
  ];
}
