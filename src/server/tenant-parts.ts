import { readUse } from '../record/quota.ts';
import { TenantUploads } from '../record/tenant-uploads.ts';
import type { TenantRouteParts } from '../routes/tenant-routes.ts';
import type { RedisParts } from './redis-parts.ts';

/** Builds the parts that the requests of a tenant's back end read. */
export function buildTenantParts({
  connection,
  store,
  keys,
  records,
}: RedisParts): Pick<TenantRouteParts, 'tenantUploads' | 'readUse'> {
  return {
    tenantUploads: new TenantUploads({ connection, keys, records }),
    readUse: (tenants) => readUse({ store, keys }, tenants),
  };
}
