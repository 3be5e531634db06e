import type { Caller, JsonObject, Lane } from '../access/caller.ts';
import type { UploadRecord } from './record-fields.ts';

/** What record and manifest keep of the caller that created an upload. In open mode uploads have no owner. */
export interface Ownership {
  tenant: string;
  lane: Lane;
  weight: number;
  metadata?: JsonObject;
}

/** The members of a caller that a new record needs. */
export type Owner = Pick<Caller, 'via' | 'tenant' | 'lane' | 'weight' | 'metadata'>;

/** Returns the JSON for the script that opens an upload; undefined in open mode. */
export function openingJson({ via, tenant, lane, weight, metadata }: Owner): string | undefined {
  if (via === 'open') return undefined;
  return ownershipJson({ tenant, lane, weight, ...(metadata === undefined ? {} : { metadata }) });
}

/** Returns the JSON for the script that restores an upload. */
export function ownershipJson({ metadata, ...rest }: Ownership): string {
  // The metadata is a string, because Lua does not tell an empty list from an empty object.
  return JSON.stringify({ ...rest, ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }) });
}

/** Returns the member of a manifest that keeps the owner of the upload; no member if it has none. */
export function manifestOwner(record: Pick<UploadRecord, 'tenant' | 'lane' | 'weight' | 'appMetadata'>): {
  owner?: Ownership;
} {
  const { tenant, lane, weight, appMetadata } = record;
  if (tenant === null) return {};
  return { owner: { tenant, lane, weight, ...(appMetadata === null ? {} : { metadata: appMetadata }) } };
}
