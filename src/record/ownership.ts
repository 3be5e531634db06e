import type { Caller } from '../access/caller.ts';

/** What a record keeps of the caller that created its upload. */
export type Owner = Pick<Caller, 'via' | 'tenant' | 'lane' | 'weight' | 'metadata'>;

/** Returns the JSON for the script that opens an upload; undefined in open mode, in which uploads have no tenant. */
export function ownershipJson({ via, tenant, lane, weight, metadata }: Owner): string | undefined {
  if (via === 'open') return undefined;
  // The metadata is a string, because Lua does not tell an empty list from an empty object.
  return JSON.stringify({
    tenant,
    lane,
    weight,
    ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
  });
}
