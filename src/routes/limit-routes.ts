import type Router from '@koa/router';
import type { Callers } from '../access/callers.ts';
import { hasCredential } from '../access/credentials.ts';
import { openCaller, type Caller } from '../access/caller.ts';
import { isAllowedType } from '../intake/ticket-rules.ts';
import type { Limits } from '../wire/documents.ts';

/** The limits of the service, without a ticket. */
export type ServiceLimits = Omit<Limits, 'maxFiles' | 'access'>;

/** The parts that the route needs. */
export interface LimitRouteParts {
  callers: Pick<Callers, 'needKeys' | 'ofCreation'>;
  limits: ServiceLimits;
}

/** Caches keep the answer for this time. It is short, because the answer depends on the access file too. */
const CACHE_SECONDS = 60;

/** Adds the address that front ends read before they send a file. */
export function limitRoutes(router: Router, { callers, limits }: LimitRouteParts): void {
  router.get('/limits', async (ctx) => {
    const isKnown = callers.needKeys && hasCredential(ctx);
    const caller = isKnown ? await callers.ofCreation(ctx) : undefined;
    if (callers.needKeys) ctx.vary('Authorization');
    ctx.set('Cache-Control', `${caller === undefined ? 'public' : 'private'}, max-age=${CACHE_SECONDS}`);
    ctx.body = limitsOf(limits, caller, callers.needKeys ? 'keys' : 'open');
  });
}

function limitsOf(service: ServiceLimits, caller: Caller | undefined, access: Limits['access']): Limits {
  const { ticket, limits } = caller ?? openCaller;
  const sizes = [service.maxFileBytes, ticket?.maxFileBytes, limits.bytesPerDay, limits.storedBytes];
  const maxFiles = ticket?.maxFiles ?? null;
  return {
    ...service,
    maxFileBytes: Math.min(...sizes.filter((size) => size !== undefined)),
    maxFiles,
    maxFilesPerRequest: Math.min(service.maxFilesPerRequest, maxFiles ?? Infinity),
    types: service.types.filter(({ type }) => isAllowedType(type, ticket?.types)),
    access,
  };
}
