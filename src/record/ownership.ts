import { createHash } from 'node:crypto';
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
export type Owner = Pick<
  Caller,
  'via' | 'tenant' | 'lane' | 'weight' | 'metadata' | 'limits' | 'ticket' | 'hasWebhooks'
>;

/**
 * Returns the JSON for the script that opens an upload; undefined in open mode. If `isRefused`, the upload is opened
 * only to be rejected: no limit applies to it, and it does not count.
 */
export function openingJson(
  { via, tenant, lane, weight, metadata, limits, ticket, hasWebhooks }: Owner,
  isRefused = false,
): string | undefined {
  if (via === 'open') return undefined;
  const ownership = { tenant, lane, weight, ...(metadata === undefined ? {} : { metadata }) };
  const quota = isRefused ? { uncounted: true } : quotaOf(tenant, limits, ticket);
  return ownershipJson(ownership, { ...quota, ...(hasWebhooks === true ? { hooks: true } : {}) });
}

function quotaOf(tenant: string, limits: Owner['limits'], ticket: Owner['ticket']): object {
  const isLimited = Object.keys(limits).length > 0;
  return { ...(isLimited ? { limits: JSON.stringify(limits) } : {}), ...ticketOf(tenant, ticket) };
}

/** A ticket counts only if it limits the number of files. Its id can be any text, so Redis gets a digest of it. */
function ticketOf(tenant: string, ticket: Owner['ticket']): object {
  if (ticket?.jti === undefined || ticket.maxFiles === undefined) return {};
  const digest = createHash('sha256').update(ticket.jti).digest('base64url').slice(0, 22);
  return { ticket: { name: `${tenant}:${digest}`, most: ticket.maxFiles, untilMs: ticket.expiresAtMs } };
}

/** Returns the JSON for the script that restores an upload. */
export function ownershipJson({ metadata, ...rest }: Ownership, more: object = {}): string {
  // The metadata is a string, because Lua does not tell an empty list from an empty object.
  return JSON.stringify({
    ...rest,
    ...more,
    ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
  });
}

/** As `manifestOwner`, for an upload that has no record yet. */
export function ownerOfCaller({ via, tenant, lane, weight, metadata }: Owner): { owner?: Ownership } {
  if (via === 'open') return {};
  return { owner: { tenant, lane, weight, ...(metadata === undefined ? {} : { metadata }) } };
}

/** Returns the member of a manifest that keeps the owner of the upload; no member if it has none. */
export function manifestOwner(record: Pick<UploadRecord, 'tenant' | 'lane' | 'weight' | 'appMetadata'>): {
  owner?: Ownership;
} {
  const { tenant, lane, weight, appMetadata } = record;
  if (tenant === null) return {};
  return { owner: { tenant, lane, weight, ...(appMetadata === null ? {} : { metadata: appMetadata }) } };
}
