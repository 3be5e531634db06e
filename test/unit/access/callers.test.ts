import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { openCaller } from '../../../src/access/caller.ts';
import { Callers } from '../../../src/access/callers.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { ServiceError } from '../../../src/errors.ts';
import { keyEntry, newApiKey, newSecret, newTicket } from '../../helpers/access-file.ts';

const KEY = newApiKey('acme');
const SECRET = newSecret();

let access: { tenants: Tenants | undefined };
let callers: Callers;

async function load(tenants: unknown): Promise<Tenants> {
  return await Tenants.from(parseAccessFile(JSON.stringify({ tenants })));
}

beforeAll(async () => {
  const acme = {
    keys: [keyEntry('k1', KEY)],
    tickets: [{ kid: 'hs', alg: 'HS256', secret: SECRET }],
    limits: { waiting: 5 },
    weight: 3,
    presets: { avatar: { variants: [] } },
  };
  access = { tenants: await load({ acme }) };
  callers = new Callers(access, Date.now);
});

/** Makes a request with the headers and the query that callers are read from. */
function request(authorization = '', querystring = ''): Context {
  const headers = authorization === '' ? {} : { authorization };
  return { querystring, req: { headers }, get: () => authorization } as unknown as Context;
}

async function errorOf(ctx: Context): Promise<ServiceError> {
  const error: unknown = await callers.ofCreation(ctx).catch((thrown: unknown) => thrown);
  if (error instanceof ServiceError) return error;
  throw new Error('the request was accepted');
}

test('a part of an API key is rejected as such, and not as a ticket', async () => {
  const { code, message } = await errorOf(request(`Bearer ${KEY.slice(0, -1)}`));
  expect([code, message]).toEqual(['ticket_invalid', expect.stringContaining('API key is not complete')]);
});

describe('the caller of a request that creates uploads', () => {
  test('is the open one in open mode, with any credential', async () => {
    const open = new Callers({ tenants: undefined }, Date.now);
    expect(await open.ofCreation(request('Bearer garbage', `key=${KEY}`))).toBe(openCaller);
    expect([open.needKeys, await open.areProven(request(`Bearer ${KEY}`).req)]).toEqual([false, false]);
  });

  test('is the tenant of the API key', async () => {
    expect(await callers.ofCreation(request(`Bearer ${KEY}`))).toEqual({
      tenant: 'acme',
      via: 'key',
      keyId: 'k1',
      limits: { waiting: 5 },
      weight: 3,
      ticket: undefined,
      metadata: undefined,
      lane: 'live',
    });
  });

  test.each(['header', 'query'])('is the tenant of the ticket in the %s, with its limits', async (place) => {
    const upload = {
      maxFiles: 2,
      maxFileBytes: 10,
      types: ['image/*'],
      preset: 'avatar',
      metadata: { a: 1 },
      lane: 'batch',
    };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const ticket = await newTicket('hs', SECRET, { jti: 'j', exp, upload });
    const ctx = place === 'header' ? request(`bearer  ${ticket}`) : request('Basic eDp5', `a=1&ticket=${ticket}`);
    expect(await callers.ofCreation(ctx)).toEqual({
      tenant: 'acme',
      via: 'ticket',
      keyId: 'hs',
      limits: { waiting: 5 },
      weight: 3,
      ticket: {
        jti: 'j',
        expiresAtMs: (exp + 30) * 1000,
        maxFiles: 2,
        maxFileBytes: 10,
        types: ['image/*'],
        preset: 'avatar',
        options: { variants: [] },
      },
      metadata: { a: 1 },
      lane: 'batch',
    });
  });

  test.each([
    ['nothing', async () => request(), 'ticket_required', 'Bearer realm="deferred-uploads"'],
    ['another scheme', async () => request('Basic eDp5'), 'ticket_required', 'Bearer realm="deferred-uploads"'],
    ['an empty ticket', async () => request('', 'ticket='), 'ticket_required', 'Bearer realm="deferred-uploads"'],
    ['garbage', async () => request('Bearer garbage'), 'ticket_invalid', 'error="invalid_token"'],
    ['a wrong API key', async () => request(`Bearer ${newApiKey('acme')}`), 'ticket_invalid', 'error="invalid_token"'],
    [
      'a key of an unknown tenant',
      async () => request(`Bearer ${newApiKey('nobody')}`),
      'ticket_invalid',
      'error="invalid_token"',
    ],
    [
      'an expired ticket',
      async () => request(`Bearer ${await newTicket('hs', SECRET, { iat: 1000, exp: 2000 })}`),
      'ticket_expired',
      'error="invalid_token", error_description="The token is expired"',
    ],
  ])('is unknown with %s (401)', async (_, ctx, code, challenge) => {
    const error = await errorOf(await ctx());
    expect(error).toMatchObject({ code, status: 401 });
    expect(error.headers['WWW-Authenticate']).toContain(challenge);
  });

  test('is rejected with a preset that does not exist (403)', async () => {
    const ticket = await newTicket('hs', SECRET, { upload: { preset: 'constructor' } });
    expect(await errorOf(request(`Bearer ${ticket}`))).toMatchObject({ code: 'ticket_forbids', status: 403 });
  });

  test('is rejected with two tickets (400)', async () => {
    expect(await errorOf(request('', 'ticket=a&ticket=b'))).toMatchObject({ code: 'bad_request' });
    expect(await errorOf(request('Bearer a', 'ticket=b'))).toMatchObject({ code: 'bad_request' });
  });

  test('is unknown as soon as the tenant is removed', async () => {
    const ticket = await newTicket('hs', SECRET);
    const before = access.tenants;
    access.tenants = await load({});
    try {
      expect(await errorOf(request(`Bearer ${ticket}`))).toMatchObject({ code: 'ticket_invalid' });
      expect(await errorOf(request(`Bearer ${KEY}`))).toMatchObject({ code: 'ticket_invalid' });
    } finally {
      access.tenants = before;
    }
  });
});

describe('a request that proves that no page of another site has sent it', () => {
  const isProven = async (token: string) => await callers.areProven(request(`Bearer ${token}`).req);

  test('carries a valid API key or a ticket with a right signature, also an expired one', async () => {
    const tickets = [await newTicket('hs', SECRET), await newTicket('hs', SECRET, { iat: 1000, exp: 2000 })];
    expect(await Promise.all([KEY, ...tickets].map(isProven))).toEqual([true, true, true]);
  });

  test('does not carry a wrong key, garbage or a ticket with a wrong signature', async () => {
    const wrong = [newApiKey('acme'), 'garbage', 'a.b.c', await newTicket('hs', newSecret())];
    expect(await Promise.all(wrong.map(isProven))).toEqual(wrong.map(() => false));
  });
});

describe('the caller of a PUT', () => {
  test('may only continue an upload if the ticket is missing or wrong', async () => {
    const caller = await callers.ofCreationOrRetry(request());
    expect(caller.refusal).toMatchObject({ code: 'ticket_required' });
    expect((await callers.ofCreationOrRetry(request(`Bearer ${KEY}`))).refusal).toBeUndefined();
  });
});

describe('the tenant of a request that needs an API key', () => {
  test('is found', () => {
    expect(callers.ofApiKey(request(`Bearer ${KEY}`))).toMatchObject({ tenant: { name: 'acme' }, keyId: 'k1' });
  });

  test.each([
    ['nothing', request()],
    ['a wrong key', request(`Bearer ${newApiKey('acme')}`)],
    ['a ticket', request('Bearer a.b.c')],
  ])('is unknown with %s (401)', (_, ctx) => {
    expect(() => callers.ofApiKey(ctx)).toThrow(expect.objectContaining({ code: 'unauthorized', status: 401 }));
  });
});
