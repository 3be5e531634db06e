import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Callers } from '../access/callers.ts';
import type { Tenant } from '../access/tenants.ts';
import { signTicket } from '../access/tickets.ts';
import { ServiceError } from '../errors.ts';
import { readJsonBody } from '../intake/json-body.ts';
import type { IssuedTicket } from '../wire/documents.ts';
import { ticketRequestSchema, type TicketRequest } from '../wire/access-schemas.ts';
import { parseBody } from '../wire/parse-body.ts';

interface TicketRouteParts {
  callers: Pick<Callers, 'ofApiKey' | 'needKeys' | 'nowMs'>;
}

/** Adds the route that signs tickets. In open mode there is none, because nobody needs a ticket. */
export function ticketRoutes(router: Router, { callers }: TicketRouteParts): void {
  if (!callers.needKeys) return;
  router.post('/tickets', async (ctx) => {
    const { tenant } = callers.ofApiKey(ctx);
    const request = parseBody(ticketRequestSchema, await readJsonBody(ctx.req));
    requirePreset(tenant, request);
    const issued: IssuedTicket = await issue(tenant, request, callers.nowMs());
    answerCreated(ctx, issued);
  });
}

async function issue(
  { name, ticketKeys }: Tenant,
  { expiresIn, upload = {} }: TicketRequest,
  nowMs: number,
): Promise<IssuedTicket> {
  for (const key of ticketKeys) {
    if (key.signing === undefined) continue;
    const { ticket, expiresAtMs } = await signTicket(key, key.signing, { expiresInSeconds: expiresIn, upload, nowMs });
    return { ticket, expiresAt: new Date(expiresAtMs).toISOString() };
  }
  throw new ServiceError(
    'no_ticket_key',
    `The tenant ${name} has no key that can sign tickets. Add one to its "tickets" in the access file, with a secret ` +
      'or a private JWK.',
  );
}

function answerCreated(ctx: Context, issued: IssuedTicket): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.status = 201;
  ctx.body = issued;
}

/** Throws for an unknown preset, because a ticket with it would create nothing. */
function requirePreset({ presets }: Tenant, { upload }: TicketRequest): void {
  const preset = upload?.preset;
  if (preset === undefined || Object.hasOwn(presets, preset)) return;
  throw new ServiceError(
    'bad_request',
    `The tenant has no preset ${preset}. Add it to the access file, or name another one.`,
  );
}
