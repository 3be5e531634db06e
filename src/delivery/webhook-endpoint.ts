import { createHash } from 'node:crypto';
import type { Access } from '../access/access.ts';
import { DEFAULT_TENANT } from '../access/caller.ts';
import { ConfigError, type Config } from '../settings/config.ts';
import type { WebhookEvent } from '../wire/documents.ts';

/** One URL that receives webhooks of one tenant. */
export interface WebhookEndpoint {
  readonly tenant: string;
  /** The id of the endpoint, unique within its tenant. */
  readonly id: string;
  readonly url: string;
  /** The secrets, each as `whsec_<base64>`. A request has one signature for each. */
  readonly secrets: readonly string[];
  readonly events: readonly WebhookEvent[];
}

/** The endpoints as the settings have them now. */
export interface WebhookEndpoints {
  of(tenant: string): readonly WebhookEndpoint[];
}

type WebhookSettings = Pick<Config, 'webhookUrl' | 'webhookSecret' | 'webhookEvents'>;

type WebhookAccess = Pick<Access, 'mode' | 'tenants'>;

/** The id of the only endpoint in open mode. */
const ONLY_ENDPOINT = 'main';

/** Returns a function that returns whether any endpoint is configured now. */
export function sendsWebhooks({ webhookUrl }: Pick<Config, 'webhookUrl'>, access: WebhookAccess): () => boolean {
  if (access.mode === 'open') return () => webhookUrl !== undefined;
  return () => access.tenants?.hasWebhooks === true;
}

/**
 * Returns the endpoints of the access file, or that of the open mode. Undefined if there can be none without a restart.
 * Throws a `ConfigError` if `WEBHOOK_URL` has no secret.
 */
export function endpointsOf(config: WebhookSettings, access: WebhookAccess): WebhookEndpoints | undefined {
  return access.mode === 'open' ? openEndpoints(config) : { of: (tenant) => endpointsInFile(access, tenant) };
}

function endpointsInFile({ tenants }: WebhookAccess, tenant: string): readonly WebhookEndpoint[] {
  return tenants?.get(tenant)?.webhooks.map((entry) => ({ ...entry, tenant })) ?? [];
}

function openEndpoints(config: WebhookSettings): WebhookEndpoints | undefined {
  const { webhookUrl: url, webhookSecret: secrets, webhookEvents: events } = config;
  if (url === undefined) return undefined;
  if (secrets === undefined) throw new ConfigError('wrong settings: WEBHOOK_URL needs WEBHOOK_SECRET');
  const endpoint = { tenant: DEFAULT_TENANT, id: ONLY_ENDPOINT, url, secrets, events };
  return { of: (tenant) => (tenant === DEFAULT_TENANT ? [endpoint] : []) };
}

/** Returns the name of an endpoint among those of all tenants. */
export function endpointKey({ tenant, id }: Pick<WebhookEndpoint, 'tenant' | 'id'>): string {
  return `${tenant}.${id}`;
}

/** Returns a digest that changes with the settings of an endpoint. */
export function settingsDigest({ url, secrets, events }: WebhookEndpoint): string {
  return createHash('sha256')
    .update(JSON.stringify([url, secrets, events]))
    .digest('base64url');
}
