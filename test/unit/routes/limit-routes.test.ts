import Router from '@koa/router';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openCaller, type Caller } from '../../../src/access/caller.ts';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { limitRoutes } from '../../../src/routes/limit-routes.ts';
import { serviceLimits } from '../../../src/server/service-limits.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import type { Limits } from '../../../src/wire/documents.ts';
import { limitsSchema } from '../../../src/wire/limit-schemas.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';

const TICKET: NonNullable<Caller['ticket']> = {
  jti: 'j',
  expiresAtMs: 0,
  maxFiles: 3,
  maxFileBytes: 20_000,
  types: ['image/*', 'text/csv'],
  preset: undefined,
  options: undefined,
};

/** An own kind with a type whose extension is unknown. */
const NOTES = {
  name: 'notes',
  types: ['application/x-notes', 'application/pdf'],
  options: { safeParse: () => ({ success: true, data: {} }) as const },
  variantNames: () => [],
};

let served: Served;
afterEach(() => served.close());

async function open(callers: Record<string, Caller> | undefined): Promise<void> {
  const config = loadConfig({ UPLOAD_MAX_BYTES: '5000000', RETENTION_MS: '3600000' });
  const router = new Router();
  limitRoutes(router, {
    callers: {
      needKeys: callers !== undefined,
      async ofCreation(ctx) {
        const caller = callers?.[ctx.get('Authorization') || `query ${String(ctx.query['ticket'])}`];
        if (caller === undefined) throw new ServiceError('ticket_invalid', 'No.');
        return caller;
      },
    },
    limits: serviceLimits(config, createKinds(config, [NOTES]), false),
  });
  served = await serve(problemResponses(silentLog), routesOf(router));
}

async function ask(headers: Record<string, string> = {}, query = ''): Promise<{ response: Response; limits: Limits }> {
  const response = await fetch(`${served.url}/limits${query}`, { headers });
  return { response, limits: (await response.json()) as Limits };
}

describe('GET /limits', () => {
  test('returns the settings and the types of all kinds in open mode', async () => {
    await open(undefined);
    const { response, limits } = await ask({ Authorization: 'Bearer ignored' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=60']);
    expect(limitsSchema.parse(limits)).toEqual(limits);
    expect(limits).toMatchObject({
      maxFileBytes: 5_000_000,
      maxRequestBytes: 1_073_741_824,
      maxFiles: null,
      maxFilesPerRequest: 100,
      retentionMs: 3_600_000,
      direct: false,
      access: 'open',
    });
    expect(limits.types).toEqual(
      expect.arrayContaining([
        { type: 'image/jpeg', kind: 'picture', extensions: ['jpg', 'jpeg', 'jfif'] },
        { type: 'text/csv', kind: 'table', extensions: ['csv', 'txt'] },
        { type: 'application/pdf', kind: 'notes', extensions: ['pdf'] },
        { type: 'application/x-notes', kind: 'notes', extensions: [] },
      ]),
    );
  });

  test('returns the limits of the service to a client without a ticket in keys mode', async () => {
    await open({});
    const { response, limits } = await ask();
    expect([response.status, response.headers.get('vary')]).toEqual([200, 'Authorization']);
    expect(limits).toMatchObject({ access: 'keys', maxFileBytes: 5_000_000, maxFiles: null });
  });

  test('returns the lower limits of a ticket, in a header or in the address', async () => {
    const caller: Caller = { ...openCaller, via: 'ticket', ticket: TICKET };
    await open({ 'Bearer t': caller, 'query t': caller });
    const { response, limits } = await ask({ Authorization: 'Bearer t' });
    expect(response.headers.get('cache-control')).toBe('private, max-age=60');
    expect(limits).toMatchObject({ access: 'keys', maxFileBytes: 20_000, maxFiles: 3, maxFilesPerRequest: 3 });
    expect(new Set(limits.types.map(({ kind }) => kind))).toEqual(new Set(['picture', 'table']));
    expect(limits.types.filter(({ kind }) => kind === 'table').map(({ type }) => type)).toEqual(['text/csv']);
    expect((await ask({}, '?ticket=t')).limits).toEqual(limits);
  });

  test('keeps the limit of the service if that of the ticket is higher', async () => {
    await open({ 'Bearer t': { ...openCaller, ticket: { ...TICKET, maxFileBytes: 6_000_000, types: undefined } } });
    const { limits } = await ask({ Authorization: 'Bearer t' });
    expect(limits.maxFileBytes).toBe(5_000_000);
    expect(limits.types.length).toBeGreaterThan(8);
  });

  test('returns no larger size to an API key than its tenant may send in a day', async () => {
    await open({ 'Bearer k': { ...openCaller, via: 'key', limits: { bytesPerDay: 900, storedBytes: 1000 } } });
    expect((await ask({ Authorization: 'Bearer k' })).limits).toMatchObject({ maxFileBytes: 900, maxFiles: null });
  });

  test('rejects a wrong ticket (401)', async () => {
    await open({});
    expect((await ask({ Authorization: 'Bearer x' })).response.status).toBe(401);
  });
});
