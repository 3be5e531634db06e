import type { ServiceError } from '../errors.ts';

type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** The order in which uploads of one tenant are taken: `batch` waits for `live`. */
export type Lane = 'live' | 'batch';

/** The quotas of a tenant, with the names of the access file. A missing member means no limit. */
export interface TenantLimits {
  /** Uploads that wait for a worker. */
  readonly waiting?: number;
  /** Uploads that are being received. */
  readonly receiving?: number;
  readonly uploadsPerDay?: number;
  readonly bytesPerDay?: number;
  readonly storedBytes?: number;
  /** Requests that create uploads. */
  readonly createPerMinute?: number;
}

/** The limits of a ticket. An undefined member means no limit. */
export interface TicketLimits {
  /** The id of the ticket. Always present together with `maxFiles`. */
  readonly jti: string | undefined;
  /** The time after which the ticket creates nothing, including the leeway for clocks. */
  readonly expiresAtMs: number;
  /** The number of uploads that all requests with this ticket may create together. */
  readonly maxFiles: number | undefined;
  readonly maxFileBytes: number | undefined;
  /** Media types such as `text/csv`, or whole groups such as `image/*`. */
  readonly types: readonly string[] | undefined;
  /** True if uploads may be imported from an address. */
  readonly mayImport?: boolean;
  /** Name of the preset that fixes the options. */
  readonly preset: string | undefined;
  /** The options of the preset. Present together with `preset`. */
  readonly options: JsonObject | undefined;
}

/** The limits of a ticket for each file. The record keeps them, because later requests need no ticket. */
export type AllowedFile = Pick<TicketLimits, 'maxFileBytes' | 'types' | 'preset'>;

/** Who sends a request that creates uploads, and what they may do. */
export interface Caller {
  /** Owner of the uploads. */
  readonly tenant: string;
  readonly via: 'open' | 'key' | 'ticket';
  /** Id of the API key, or `kid` of the ticket key. Undefined in open mode. */
  readonly keyId: string | undefined;
  readonly limits: TenantLimits;
  /** Share of the tenant in the queue, relative to the others. */
  readonly weight: number;
  /** Undefined unless the request carries a ticket. */
  readonly ticket: TicketLimits | undefined;
  /** Metadata that the application gave to the uploads. */
  readonly metadata: JsonObject | undefined;
  readonly lane: Lane;
  /** True if the tenant has endpoints for webhooks. Absent if it has none. */
  readonly hasWebhooks?: true;
  /**
   * The error if the request would create an upload: it has no valid ticket, so it may only continue an upload that
   * exists. Undefined for all other requests.
   */
  readonly refusal?: ServiceError;
}

/** The tenant of all uploads in open mode. */
export const DEFAULT_TENANT = 'default';

/** Anyone, in open mode. */
export const openCaller: Caller = {
  tenant: DEFAULT_TENANT,
  via: 'open',
  keyId: undefined,
  limits: {},
  weight: 1,
  ticket: undefined,
  metadata: undefined,
  lane: 'live',
};
