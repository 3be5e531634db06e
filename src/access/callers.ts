import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { ServiceError, type ErrorCode } from '../errors.ts';
import type { Access } from './access.ts';
import { openCaller, type Caller, type TicketLimits } from './caller.ts';
import { bearerOf, credentialOf, type Credential } from './credentials.ts';
import { checkTicket, TicketError, type CheckedTicket } from './tickets.ts';
import { isApiKey, type FoundApiKey, type Tenant, type Tenants } from './tenants.ts';

const REALM = 'Bearer realm="deferred-uploads"';

/** Decides who sends a request, and whether it may create uploads. It does no I/O. */
export class Callers {
  readonly #access: Pick<Access, 'tenants'>;
  /** The clock that decides when a ticket expires, in milliseconds since 1970. */
  readonly nowMs: () => number;

  constructor(access: Pick<Access, 'tenants'>, nowMs: () => number) {
    this.#access = access;
    this.nowMs = nowMs;
  }

  /** False in open mode, in which everyone may create uploads. */
  get needKeys(): boolean {
    return this.#access.tenants !== undefined;
  }

  /**
   * Returns whether a request carries a valid API key or a ticket with a right signature in a header. No page of
   * another site can set this header, unless CORS allows the site. An expired ticket counts too, so that its holder
   * gets `ticket_expired`.
   */
  readonly areProven = async ({ headers }: IncomingMessage): Promise<boolean> => {
    const { tenants } = this.#access;
    const token = bearerOf(headers);
    if (tenants === undefined || token === undefined) return false;
    if (isApiKey(token)) return tenants.findApiKey(token) !== undefined;
    return await checkTicket(tenants, token, this.nowMs()).then(
      () => true,
      (error: unknown) => {
        if (error instanceof TicketError) return false;
        throw error;
      },
    );
  };

  /**
   * Returns the caller of a request that creates uploads. Throws `ticket_required`, `ticket_invalid` or
   * `ticket_expired` (401), and `ticket_forbids` (403) for a preset that the tenant does not have.
   */
  async ofCreation(ctx: Context): Promise<Caller> {
    const { tenants } = this.#access;
    if (tenants === undefined) return openCaller;
    return await this.#callerOf(tenants, credentialOf(ctx));
  }

  /**
   * Returns the caller of a request that creates an upload or continues an existing one. Only a creation needs a ticket
   * or an API key, and only the script that opens the upload knows whether it is one. So the error of `ofCreation`
   * (401) is not thrown but returned as `refusal`.
   */
  async ofCreationOrRetry(ctx: Context): Promise<Caller> {
    try {
      return await this.ofCreation(ctx);
    } catch (error) {
      if (error instanceof ServiceError && error.status === 401) return { ...openCaller, refusal: error };
      throw error;
    }
  }

  /** Returns the tenant of a request that needs an API key. Throws `unauthorized` (401). */
  ofApiKey(ctx: Context): FoundApiKey {
    const credential = credentialOf(ctx);
    const found = credential.type === 'key' ? this.#access.tenants?.findApiKey(credential.apiKey) : undefined;
    if (found !== undefined) return found;
    const detail =
      credential.type === 'key'
        ? 'The API key is unknown or was removed. Send a valid one as Authorization: Bearer.'
        : 'This address needs an API key. Send it as Authorization: Bearer.';
    throw new ServiceError('unauthorized', detail, {
      headers: { 'WWW-Authenticate': credential.type === 'none' ? REALM : `${REALM}, error="invalid_token"` },
    });
  }

  async #callerOf(tenants: Tenants, credential: Credential): Promise<Caller> {
    if (credential.type === 'none')
      throw new ServiceError(
        'ticket_required',
        'Uploads need a ticket or an API key. Send it as Authorization: Bearer, or a ticket as ?ticket=.',
        { headers: { 'WWW-Authenticate': REALM } },
      );
    if (credential.type === 'ticket' && credential.ticket.startsWith('du_'))
      throw invalidToken('ticket_invalid', 'The API key is not complete. Send it as du_<tenant>_<43 characters>.');
    if (credential.type === 'ticket') return callerOfTicket(await this.#checked(tenants, credential.ticket));
    const found = tenants.findApiKey(credential.apiKey);
    if (found === undefined)
      throw invalidToken('ticket_invalid', 'The API key is unknown or was removed. Send a valid one.');
    return { ...callerOf(found.tenant), via: 'key', keyId: found.keyId };
  }

  async #checked(tenants: Tenants, ticket: string): Promise<CheckedTicket> {
    const checked = await checkTicket(tenants, ticket, this.nowMs()).catch((error: unknown) => {
      throw error instanceof TicketError ? invalidToken('ticket_invalid', error.message) : error;
    });
    if (checked.isExpired)
      throw invalidToken('ticket_expired', 'The ticket has expired. Get a new one and send the request again.');
    return checked;
  }
}

/** Returns a 401 with the challenge of RFC 6750 section 3.1. */
function invalidToken(code: ErrorCode & `ticket_${string}`, detail: string): ServiceError {
  const description = code === 'ticket_expired' ? 'expired' : 'invalid';
  const challenge = `${REALM}, error="invalid_token", error_description="The token is ${description}"`;
  return new ServiceError(code, detail, { headers: { 'WWW-Authenticate': challenge } });
}

function callerOf({ name, limits, weight, webhooks }: Tenant): Omit<Caller, 'via' | 'keyId'> {
  const hooks = webhooks.length > 0 ? { hasWebhooks: true as const } : {};
  return { tenant: name, limits, weight, ticket: undefined, metadata: undefined, lane: 'live', ...hooks };
}

function callerOfTicket({ tenant, key, jti, upload, expiresAtMs }: CheckedTicket): Caller {
  const { maxFiles, maxFileBytes, types, preset, metadata, lane = 'live', import: mayImport = false } = upload;
  const ticket: TicketLimits = {
    jti,
    expiresAtMs,
    maxFiles,
    maxFileBytes,
    types,
    ...(mayImport ? { mayImport } : {}),
    preset,
    options: preset === undefined ? undefined : optionsOf(tenant, preset),
  };
  return { ...callerOf(tenant), via: 'ticket', keyId: key.kid, ticket, metadata, lane };
}

function optionsOf({ presets }: Tenant, preset: string): TicketLimits['options'] {
  if (Object.hasOwn(presets, preset)) return presets[preset];
  throw new ServiceError(
    'ticket_forbids',
    'The ticket names a preset that does not exist. Add it to the access file, or sign a ticket with another preset.',
  );
}
