import type { TenantLimits } from '../access/caller.ts';
import type { ScriptRunner } from '../queue/backlog.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { loadScript } from '../queue/load-script.ts';
import { quotaNameSchema, type QuotaName } from '../wire/base-schemas.ts';

const CHECK_SCRIPT = loadScript(new URL('scripts/check-quota.lua', import.meta.url));
const USE_SCRIPT = loadScript(new URL('scripts/read-use.lua', import.meta.url));

/** The names of the limits, in the order in which the script returns what a tenant uses. */
const NAMES = quotaNameSchema.options;

/** A limit that an upload would exceed. */
export interface ReachedLimit {
  readonly name: QuotaName;
  /** The end of the day or minute that the limit counts. Undefined: the limit does not count a period. */
  readonly endsInMs: number | undefined;
}

/** The current use of a tenant, by the names of its limits. Days are in UTC. */
export type TenantUse = Readonly<Record<QuotaName, number>>;

/** The parts of Redis that quotas need. */
export interface QuotaParts {
  store: ScriptRunner;
  keys: Pick<QueueKeys, 'tenants'>;
}

/** Decodes the reply of a script. Throws if there is no such limit. */
export function reachedLimit(name: string, endsInMs: string | undefined): ReachedLimit {
  const known = NAMES.find((limit) => limit === name);
  if (known === undefined) throw new Error(`the record script returned the limit ${name}`);
  return { name: known, endsInMs: endsInMs === undefined || endsInMs === '' ? undefined : Number(endsInMs) };
}

/**
 * Returns a limit that one more upload would exceed now. It reserves nothing: the script that opens or queues the
 * upload decides. With `receivedBytes` the upload has all its bytes and will be queued, otherwise it will begin.
 */
export async function checkQuota(
  { store, keys }: QuotaParts,
  { tenant, limits }: { tenant: string; limits: TenantLimits },
  receivedBytes?: number,
): Promise<ReachedLimit | undefined> {
  if (Object.keys(limits).length === 0) return undefined;
  const args = [tenant, JSON.stringify(limits), receivedBytes === undefined ? '' : String(receivedBytes)];
  const reply = await store.runScript(CHECK_SCRIPT, [keys.tenants], args);
  const [name = '', endsInMs] = Array.isArray(reply) ? reply.map(String) : [];
  return name === '' ? undefined : reachedLimit(name, endsInMs);
}

/** Reads the use of these tenants, in the given order. A tenant without uploads has zeros. */
export async function readUse({ store, keys }: QuotaParts, tenants: readonly string[]): Promise<TenantUse[]> {
  if (tenants.length === 0) return [];
  const reply = await store.runScript(USE_SCRIPT, [keys.tenants], tenants);
  const counts = Array.isArray(reply) ? reply.map(Number) : [];
  return tenants.map((_, index) => {
    const at = index * NAMES.length;
    const [waiting = 0, receiving = 0, uploadsPerDay = 0, bytesPerDay = 0, storedBytes = 0, createPerMinute = 0] =
      counts.slice(at, at + NAMES.length);
    return { waiting, receiving, uploadsPerDay, bytesPerDay, storedBytes, createPerMinute };
  });
}
