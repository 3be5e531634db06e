import { createHash, timingSafeEqual } from 'node:crypto';
import { AccessFileError, type AccessFile, type TenantEntry } from './access-file.ts';
import { importTicketKey, type TicketKey } from './ticket-keys.ts';

/** A tenant of the access file. */
export interface Tenant extends Pick<TenantEntry, 'limits' | 'weight' | 'presets' | 'webhooks'> {
  readonly name: string;
  /** The keys, in the order of the file. */
  readonly ticketKeys: readonly TicketKey[];
}

/** An API key that was found, and its tenant. */
export interface FoundApiKey {
  readonly tenant: Tenant;
  readonly keyId: string;
  readonly digest: Buffer;
}

/** A ticket key that was found, and its tenant. */
export interface FoundTicketKey {
  readonly tenant: Tenant;
  readonly key: TicketKey;
}

/** An API key: `du_<tenant>_<43 base64url characters>`. */
const API_KEY = /du_[a-z0-9-]{1,64}_[A-Za-z0-9_-]{43}/;
const WHOLE_API_KEY = new RegExp(`^${API_KEY.source}$`);

/** True for a text in the form of an API key. */
export function isApiKey(text: string): boolean {
  return WHOLE_API_KEY.test(text);
}

/** True if a part of the text has the form of an API key. */
export function containsApiKey(text: string): boolean {
  return API_KEY.test(text);
}

/** Returns the SHA-256 of a whole API key. The access file contains it in hex. */
function apiKeyDigest(apiKey: string): Buffer {
  return createHash('sha256').update(apiKey).digest();
}

/** All tenants of one version of the access file. It never changes: a new version of the file makes a new table. */
export class Tenants {
  readonly #tenants: ReadonlyMap<string, Tenant>;
  /** API keys by their digests in hex. */
  readonly #apiKeys: ReadonlyMap<string, FoundApiKey>;
  readonly #ticketKeys: ReadonlyMap<string, FoundTicketKey>;
  readonly #hasWebhooks: boolean;

  private constructor(tenants: readonly Tenant[], apiKeys: ReadonlyMap<string, FoundApiKey>) {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.name, tenant]));
    this.#apiKeys = apiKeys;
    this.#hasWebhooks = tenants.some(({ webhooks }) => webhooks.length > 0);
    this.#ticketKeys = new Map(
      tenants.flatMap((tenant) => tenant.ticketKeys.map((key) => [key.kid, { tenant, key }] as const)),
    );
  }

  /** Imports all keys. Rejects with AccessFileError if one is not a key of its algorithm. */
  static async from({ tenants }: AccessFile): Promise<Tenants> {
    const all: Tenant[] = [];
    const apiKeys = new Map<string, FoundApiKey>();
    for (const [name, { keys, tickets, ...rest }] of Object.entries(tenants)) {
      const ticketKeys: TicketKey[] = [];
      for (const [index, entry] of tickets.entries())
        ticketKeys.push(
          await importTicketKey(entry).catch(() => {
            throw new AccessFileError(`tenants.${name}.tickets[${index}].jwk is not a key for ${entry.alg}`);
          }),
        );
      const tenant: Tenant = { ...rest, name, ticketKeys };
      all.push(tenant);
      for (const { id, sha256 } of keys) {
        const digest = Buffer.from(sha256, 'hex');
        apiKeys.set(digest.toString('hex'), { tenant, keyId: id, digest });
      }
    }
    return new Tenants(all, apiKeys);
  }

  /** The keys, in the order of the file. */
  get all(): Iterable<Tenant> {
    return this.#tenants.values();
  }

  /** True if any tenant has an endpoint for webhooks. */
  get hasWebhooks(): boolean {
    return this.#hasWebhooks;
  }

  get(name: string): Tenant | undefined {
    return this.#tenants.get(name);
  }

  /**
   * Returns the tenant of an API key. Only digests are compared, and unknown tenants, unknown keys and wrong keys take
   * the same steps, so the time of the answer says nothing about the keys that exist.
   */
  findApiKey(apiKey: string): FoundApiKey | undefined {
    const given = apiKeyDigest(apiKey);
    const found = this.#apiKeys.get(given.toString('hex'));
    return timingSafeEqual(given, found?.digest ?? NO_DIGEST) ? found : undefined;
  }

  findTicketKey(kid: string): FoundTicketKey | undefined {
    return this.#ticketKeys.get(kid);
  }
}

/** A digest that no key has. It is compared if the key is unknown, so that the answer takes the same time. */
const NO_DIGEST = Buffer.alloc(32);
