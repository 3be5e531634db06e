import type { Caller, TenantLimits } from '../../src/access/caller.ts';
import { openCaller } from '../../src/access/caller.ts';
import { readUse, type TenantUse } from '../../src/record/quota.ts';
import { decodeRecord, isExpired } from '../../src/record/record-fields.ts';
import type { RecordSpace } from './record-space.ts';

/** Returns a caller with an API key of a tenant. */
export function callerOf(tenant: string, limits: TenantLimits = {}, more: Partial<Caller> = {}): Caller {
  return { ...openCaller, via: 'key', keyId: 'k1', tenant, limits, ...more };
}

/** Returns the limits of a ticket for this many files; undefined for any number. */
export function ticketFor(maxFiles: number | undefined, jti = 'one'): NonNullable<Caller['ticket']> {
  const none = { maxFileBytes: undefined, types: undefined, preset: undefined, options: undefined };
  return { jti, expiresAtMs: Date.now() + 60_000, maxFiles, ...none };
}

/** Reads what a tenant uses, as the scripts count it. */
export async function useOf(space: RecordSpace, tenant: string): Promise<TenantUse> {
  const [use] = await readUse(space, [tenant]);
  if (use === undefined) throw new Error('no use was read');
  return use;
}

/** Returns the sums of the records of a tenant. The counts of the scripts must always be the same. */
export async function sumOfRecords(
  space: RecordSpace,
  tenant: string,
): Promise<Pick<TenantUse, 'waiting' | 'receiving' | 'storedBytes'>> {
  const prefix = space.keys.record('');
  const ids = (await space.connection.keys(`${prefix}*`)).map((key) => key.slice(prefix.length));
  const records = await Promise.all(
    ids.map(async (id) => decodeRecord(id, await space.connection.hgetall(space.keys.record(id)))),
  );
  const nowMs = Date.now();
  const own = records.filter((record) => record.tenant === tenant && !record.deleted && !isExpired(record, nowMs));
  const stored = own.filter((record) => record.stored);
  return {
    waiting: own.filter(({ state }) => state === 'queued').length,
    receiving: own.filter(({ state }) => state === 'receiving').length,
    storedBytes: stored.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
  };
}
