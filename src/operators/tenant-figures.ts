import type { Tenant } from '../access/tenants.ts';
import type { TenantUse } from '../record/quota.ts';
import { quotaNameSchema } from '../wire/base-schemas.ts';
import type { TenantFigures } from '../wire/documents.ts';

/** Number of tenants that are listed. The others are only counted. */
const SHOWN_TENANTS = 100;

/** Tenants that one script reads. More at once would block Redis for milliseconds. */
const READ_AT_ONCE = 200;

/** The sources of the figures of tenants. */
export interface TenantFigureParts {
  /** Undefined in open mode. */
  tenants: () => Iterable<Tenant> | undefined;
  readUse: (names: readonly string[]) => Promise<readonly TenantUse[]>;
}

/**
 * Reads what the tenants use now. The tenants that are nearest to one of their limits come first, then the others by
 * the number of their waiting uploads. Null in open mode.
 */
export async function readTenantFigures(parts: TenantFigureParts): Promise<TenantFigures | null> {
  const tenants = parts.tenants();
  if (tenants === undefined) return null;
  const all: TenantFigures['listed'] = [];
  let batch: Tenant[] = [];
  const read = async () => {
    const uses = await parts.readUse(batch.map(({ name }) => name));
    for (const [index, { name, weight, limits }] of batch.entries()) {
      const use = uses[index];
      if (use !== undefined) all.push({ name, weight, limits: setLimits(limits), use });
    }
    batch = [];
  };
  for (const tenant of tenants) {
    batch.push(tenant);
    if (batch.length === READ_AT_ONCE) await read();
  }
  if (batch.length > 0) await read();
  return { count: all.length, listed: all.sort(byNeed).slice(0, SHOWN_TENANTS) };
}

type Listed = TenantFigures['listed'][number];

function setLimits(limits: Tenant['limits']): Listed['limits'] {
  const set: Listed['limits'] = {};
  for (const name of quotaNameSchema.options) {
    const limit = limits[name];
    if (limit !== undefined) set[name] = limit;
  }
  return set;
}

function byNeed(one: Listed, other: Listed): number {
  return (
    highestShare(other) - highestShare(one) || other.use.waiting - one.use.waiting || (one.name < other.name ? -1 : 1)
  );
}

/** Returns the share of the most used limit: 1 if it is reached, 0 without limits. */
function highestShare({ limits, use }: Listed): number {
  const shares = quotaNameSchema.options.map((name) => use[name] / Math.max(1, limits[name] ?? Infinity));
  return Math.max(0, ...shares);
}
