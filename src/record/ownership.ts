import { createHash } from 'node:crypto';
import type { Caller, JsonObject, Lane } from '../access/caller.ts';
import type { UploadRecord } from './record-fields.ts';

/** The owner of an upload, as record and manifest store it. In open mode uploads have no owner. */
export interface Ownership {
  tenant: string;
  lane: Lane;
  weight: number;
  /** True if the tenant had an endpoint for webhooks. */
  hooks?: boolean;
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
export function openingJson(creator: Owner, isRefused = false): string | undefined {
  const { owner } = ownerOfCaller(creator);
  if (owner === undefined) return undefined;
  return ownershipJson(owner, isRefused ? { uncounted: true } : quotaOf(creator));
}

function quotaOf({ tenant, limits, ticket }: Owner): object {
  const isLimited = Object.keys(limits).length > 0;
  return { ...(isLimited ? { limits: JSON.stringify(limits) } : {}), ...ticketOf(tenant, ticket) };
}

/** Returns a ticket that limits the number of files; others do not count. Redis gets a digest of its id. */
function ticketOf(tenant: string, ticket: Owner['ticket']): object {
  if (ticket?.jti === undefined || ticket.maxFiles === undefined) return {};
  const digest = createHash('sha256').update(ticket.jti).digest('base64url').slice(0, 22);
  return { ticket: { name: `${tenant}:${digest}`, most: ticket.maxFiles, untilMs: ticket.expiresAtMs } };
}

/** Returns the JSON for the script that restores an upload. */
export function ownershipJson({ metadata, ...rest }: Ownership, more: object = {}): string {
  // The metadata is a string, because Lua cannot distinguish an empty list from an empty object.
  return JSON.stringify({
    ...rest,
    ...more,
    ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
  });
}

/** Like `manifestOwner`, for an upload that has no record yet. */
export function ownerOfCaller({ via, tenant, lane, weight, metadata, hasWebhooks }: Owner): { owner?: Ownership } {
  if (via === 'open') return {};
  const facts = { tenant, lane, weight, hasWebhooks: hasWebhooks === true, metadata: metadata ?? null };
  return { owner: ownership(facts) };
}

/** Returns the member of a manifest that keeps the owner of the upload; no member if it has none. */
export function manifestOwner(
  record: Pick<UploadRecord, 'tenant' | 'lane' | 'weight' | 'hasWebhooks' | 'appMetadata'>,
): { owner?: Ownership } {
  const { tenant, lane, weight, hasWebhooks, appMetadata: metadata } = record;
  return tenant === null ? {} : { owner: ownership({ tenant, lane, weight, hasWebhooks, metadata }) };
}

/** Returns the fields of a record that keep its owner. */
export function ownerFields({
  tenant,
  lane,
  weight,
  hooks = false,
  metadata,
}: Ownership): Pick<UploadRecord, 'tenant' | 'lane' | 'weight' | 'hasWebhooks' | 'appMetadata'> {
  return { tenant, lane, weight, hasWebhooks: hooks, appMetadata: metadata ?? null };
}

interface OwnerFacts extends Pick<Ownership, 'tenant' | 'lane' | 'weight'> {
  hasWebhooks: boolean;
  metadata: JsonObject | null;
}

function ownership({ hasWebhooks, metadata, ...rest }: OwnerFacts): Ownership {
  return { ...rest, ...(hasWebhooks ? { hooks: true } : {}), ...(metadata === null ? {} : { metadata }) };
}
