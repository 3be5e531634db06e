import type Router from '@koa/router';
import type { Context } from 'koa';
import type { TenantLimits } from '../access/caller.ts';
import type { Upload, UploadPage, Usage } from '../wire/documents.ts';
import { ServiceError } from '../errors.ts';
import { isUploadId, queryParameter } from '../http/parameters.ts';
import type { TenantUse } from '../record/quota.ts';
import type { ListedUploads, ListPlace, TenantUploads } from '../record/tenant-uploads.ts';
import { toUpload } from '../record/upload-document.ts';
import { quotaNameSchema } from '../wire/base-schemas.ts';
import { MAX_PAGE_UPLOADS, PAGE_QUERY } from '../wire/tenant-schemas.ts';

/** The members of a tenant that its own requests need. */
interface KeyHolder {
  readonly name: string;
  readonly limits: TenantLimits;
}

/** The parts that the routes for API keys need. */
export interface TenantRouteParts {
  callers: {
    /** False in open mode. */
    readonly needKeys: boolean;
    /** Throws `unauthorized` (401) without an API key. */
    ofApiKey(ctx: Context): { readonly tenant: KeyHolder };
  };
  tenantUploads: Pick<TenantUploads, 'list'>;
  readUse: (tenants: readonly string[]) => Promise<TenantUse[]>;
}

/** Adds the requests that a tenant's back end sends. In open mode there are none, because there are no tenants. */
export function tenantRoutes(router: Router, parts: TenantRouteParts): void {
  if (!parts.callers.needKeys) return;

  router.get('/uploads', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const { tenant } = parts.callers.ofApiKey(ctx);
    const { reads, next } = await parts.tenantUploads.list({ tenant: tenant.name, ...requestedPage(ctx) });
    const uploads: Upload[] = reads.map((read) => toUpload(read));
    ctx.body = { uploads, next: next === undefined ? null : cursorOf(next) } satisfies UploadPage;
  });

  router.get('/usage', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const { tenant } = parts.callers.ofApiKey(ctx);
    ctx.body = await usageOf(parts, tenant);
  });
}

async function usageOf({ readUse }: TenantRouteParts, { name, limits }: KeyHolder): Promise<Usage> {
  const [use] = await readUse([name]);
  if (use === undefined) throw new Error('the use of the tenant was not read');
  const known = quotaNameSchema.options.map((limit) => [limit, limits[limit] ?? null] as const);
  return { tenant: name, limits: Object.fromEntries(known) as Usage['limits'], use };
}

function requestedPage(ctx: Context): Omit<ListedUploads, 'tenant'> {
  const { state, since: time, cursor: form, limit: number } = PAGE_QUERY;
  const since = asked(ctx, 'since', time, 'must be a time with a time zone, such as 2026-03-14T09:26:53Z');
  const cursor = asked(ctx, 'cursor', form, CURSOR_FORM);
  const limit = asked(ctx, 'limit', number, `must be a whole number from 1 to ${MAX_PAGE_UPLOADS}`);
  return {
    state: asked(ctx, 'state', state, `must be one of ${state.options.join(', ')}`),
    sinceMs: since === undefined ? undefined : Date.parse(since),
    after: cursor === undefined ? undefined : placeOf(cursor),
    limit: Number(limit ?? MAX_PAGE_UPLOADS),
  };
}

const CURSOR_FORM = 'must be the value of "next" in an earlier page';

/** The members of a schema that this module needs. */
interface Form<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** Undefined if the parameter is missing or empty. */
function asked<T>(ctx: Context, name: string, form: Form<T>, rule: string): T | undefined {
  const given = queryParameter(ctx, name);
  if (given === undefined || given === '') return undefined;
  const parsed = form.safeParse(given);
  if (parsed.success) return parsed.data;
  throw badParameter(name, rule);
}

function badParameter(name: string, rule: string): ServiceError {
  return new ServiceError('bad_request', `The query parameter "${name}" ${rule}, and must appear at most once.`);
}

/** Returns the cursor of a place. It is opaque for clients, so that its form can change. */
function cursorOf({ createdAtMs, id }: ListPlace): string {
  return Buffer.from(`${createdAtMs}.${id}`).toString('base64url');
}

/** Throws `bad_request` (400) if no page has this cursor. */
function placeOf(cursor: string): ListPlace {
  const [, time = '', id = ''] = /^(\d{1,15})\.(.+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const place = { createdAtMs: Number(time), id };
  if (time === '' || !isUploadId(id) || cursorOf(place) !== cursor) throw badParameter('cursor', CURSOR_FORM);
  return place;
}
