import { beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { checkTicket, signTicket, TicketError } from '../../../src/access/tickets.ts';
import { newSecret, newTicket, type Claims } from '../../helpers/access-file.ts';

const NOW_S = 1_800_000_000;
const SECRET = newSecret();
const TIMES = { iat: NOW_S, exp: NOW_S + 900 };

let tenants: Tenants;
let ed: CryptoKey;
let p256: CryptoKey;
let edPublic: CryptoKey;

beforeAll(async () => {
  const edPair = await generateKeyPair('EdDSA', { extractable: true });
  const p256Pair = await generateKeyPair('ES256', { extractable: true });
  [ed, edPublic, p256] = [edPair.privateKey, edPair.publicKey, p256Pair.privateKey];
  const acme = {
    tickets: [
      { kid: 'hs', alg: 'HS256', secret: SECRET },
      { kid: 'ed', alg: 'EdDSA', jwk: await exportJWK(edPair.publicKey) },
      { kid: 'p256', alg: 'ES256', jwk: await exportJWK(p256Pair.privateKey) },
    ],
  };
  tenants = await Tenants.from(parseAccessFile(JSON.stringify({ tenants: { acme } })));
});

async function ticketWith(claims: Claims): Promise<string> {
  return await newTicket('hs', SECRET, { ...TIMES, ...claims });
}

async function check(ticket: string, nowS = NOW_S) {
  return await checkTicket(tenants, ticket, nowS * 1000);
}

async function reasonAgainst(ticket: string, nowS = NOW_S): Promise<string> {
  const checked = check(ticket, nowS);
  await expect(checked).rejects.toThrow(TicketError);
  return await checked.then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
}

describe('a ticket', () => {
  test('is accepted with every claim of the contract', async () => {
    const upload = {
      maxFiles: 2,
      maxFileBytes: 1000,
      types: ['image/*', 'Text/CSV', '*/*'],
      preset: 'avatar',
      metadata: { user: { id: 7 } },
      lane: 'batch',
    };
    expect(await check(await ticketWith({ jti: 'a', iss: 'shop', upload }))).toMatchObject({
      tenant: { name: 'acme' },
      jti: 'a',
      upload: { ...upload, types: ['image/*', 'text/csv', '*/*'] },
      expiresAtMs: (NOW_S + 930) * 1000,
      isExpired: false,
    });
  });

  test.each([
    [{ import: true }, { import: true }],
    [{ upload: { import: true } }, { import: true }],
    [
      { import: true, upload: { import: false, maxFileBytes: 9 } },
      { import: false, maxFileBytes: 9 },
    ],
  ])('with the claims %j has the member upload %j', async (claims, upload) => {
    expect((await check(await ticketWith(claims))).upload).toEqual(upload);
  });

  test.each(['ed', 'p256'])('is accepted with the signature of the key %s', async (kid) => {
    const [alg, key] = kid === 'ed' ? (['EdDSA', ed] as const) : (['ES256', p256] as const);
    const ticket = await new SignJWT({ ...TIMES, aud: ['x', 'deferred-uploads'] })
      .setProtectedHeader({ alg, kid })
      .sign(key);
    expect(await check(ticket)).toMatchObject({ key: { kid } });
  });

  test('has 30 s of leeway at both ends', async () => {
    const ticket = await ticketWith({ nbf: NOW_S });
    expect((await check(ticket, NOW_S - 30)).isExpired).toBe(false);
    expect((await check(ticket, NOW_S + 929)).isExpired).toBe(false);
    expect((await check(ticket, NOW_S + 930)).isExpired).toBe(true);
  });

  test.each([
    ['another aud', { aud: 'other' }, 'aud must be "deferred-uploads"'],
    ['no aud', { aud: undefined }, 'aud must be "deferred-uploads"'],
    ['no exp', { exp: undefined }, 'exp is required'],
    ['no iat', { iat: undefined }, 'iat is required'],
    ['an exp in words', { exp: 'tomorrow' }, 'exp is required'],
    ['a lifetime over 24 h', { exp: NOW_S + 86_401 }, 'exp must be at most 86400 s after iat'],
    ['an iat in the future', { iat: NOW_S + 31 }, 'not valid yet'],
    ['an nbf in the future', { nbf: NOW_S + 31 }, 'not valid yet'],
    ['an exp before its iat', { iat: NOW_S + 10, exp: NOW_S + 5 }, 'exp of the ticket is before its iat'],
    ['maxFiles without jti', { upload: { maxFiles: 1 } }, 'jti is required with maxFiles'],
    ['an empty jti', { jti: '' }, 'jti must not be empty'],
    ['a number as jti', { jti: 5 }, 'jti must be a text'],
    ['a misspelled member', { upload: { maxBytes: 1 } }, 'upload has the unknown member maxBytes'],
    ['an import that is no boolean', { import: 'yes' }, 'import must be'],
    ['a size of 0', { upload: { maxFileBytes: 0 } }, 'upload.maxFileBytes must be at least 1.'],
    ['a number of files in words', { jti: 'a', upload: { maxFiles: '1' } }, 'upload.maxFiles must be a number'],
    ['a type without a group', { upload: { types: ['pictures'] } }, 'upload.types.0 must be a media type'],
    ['a type of any group', { upload: { types: ['*/png'] } }, 'upload.types.0 must be a media type'],
    ['an unknown lane', { upload: { lane: 'fast' } }, 'upload.lane must be live or batch'],
    ['an upload that is no object', { upload: [] }, 'upload must be an object'],
    ['metadata that is no object', { upload: { metadata: 'x' } }, 'upload.metadata must be an object'],
    [
      'metadata over 4 KB',
      { upload: { metadata: { a: 'é'.repeat(2045) } } },
      'upload.metadata must have at most 4096 bytes of JSON',
    ],
    [
      'metadata with nine levels',
      { upload: { metadata: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) as unknown } },
      'upload.metadata must have at most 8 levels',
    ],
    [
      'metadata with __proto__',
      { upload: { metadata: JSON.parse('{"a":[{"__proto__":{}}]}') as unknown } },
      'upload.metadata must have no member __proto__',
    ],
  ])('is rejected with %s', async (_, claims, reason) => {
    expect(await reasonAgainst(await ticketWith(claims))).toContain(reason);
  });

  test('is accepted with metadata of exactly 4 KB and eight levels', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`) as unknown;
    expect(await check(await ticketWith({ upload: { metadata: deep } }))).toMatchObject({ upload: { metadata: deep } });
    const long = { a: 'x'.repeat(4096 - '{"a":""}'.length) };
    expect(await check(await ticketWith({ upload: { metadata: long } }))).toMatchObject({ upload: { metadata: long } });
  });

  test.each(['', 'garbage', 'a.b.c', '..', 'e30.e30.', 'x'.repeat(20_000)])(
    'is rejected if it is not a JWT: %.20j',
    async (ticket) => {
      expect(await reasonAgainst(ticket)).toMatch(/^The (ticket|header of the ticket)/);
    },
  );

  test('is rejected with an unknown kid, and without one', async () => {
    expect(await reasonAgainst(await newTicket('other', SECRET, TIMES))).toContain('kid of the ticket names no key');
    const nameless = await new SignJWT(TIMES).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET));
    expect(await reasonAgainst(nameless)).toContain('has no kid');
  });

  test('is rejected with the signature of another secret', async () => {
    expect(await reasonAgainst(await newTicket('hs', newSecret(), TIMES))).toContain(
      'signature of the ticket is wrong',
    );
  });

  test('is rejected if its payload was changed', async () => {
    const [head, , signature] = (await ticketWith({})).split('.');
    const payload = Buffer.from(JSON.stringify({ ...TIMES, aud: 'deferred-uploads', exp: NOW_S + 9000 }));
    const forged = [head, payload.toString('base64url'), signature].join('.');
    expect(await reasonAgainst(forged)).toContain('signature of the ticket is wrong');
  });

  test('is rejected with the algorithm none', async () => {
    const unsecured = new UnsecuredJWT({ ...TIMES, aud: 'deferred-uploads' }).encode();
    const head = Buffer.from(JSON.stringify({ alg: 'none', kid: 'hs' })).toString('base64url');
    expect(await reasonAgainst([head, ...unsecured.split('.').slice(1)].join('.'))).toMatch(/algorithm|signed/);
  });

  test.each(['ed', 'p256'])('is rejected if HS256 was used with the public half of the key %s', async (kid) => {
    const secret = kid === 'ed' ? Buffer.from(await exportSPKI(edPublic)) : Buffer.alloc(32);
    const forged = await new SignJWT({ ...TIMES, aud: 'deferred-uploads' })
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(secret);
    expect(await reasonAgainst(forged)).toContain('another algorithm than its key');
  });

  test('never appears in the reason of its rejection', async () => {
    const ticket = await ticketWith({ upload: { lane: 'secret-lane' } });
    expect(await reasonAgainst(ticket)).not.toContain('secret-lane');
  });

  test.each(['hs', 'p256'])('that the service signs with the key %s is accepted', async (kid) => {
    const key = tenants.findTicketKey(kid)?.key;
    if (key?.signing === undefined) throw new Error('the key cannot sign');
    const upload = { maxFiles: 1 };
    const nowMs = NOW_S * 1000 + 999;
    const { ticket, expiresAtMs } = await signTicket(key, key.signing, { expiresInSeconds: 60, upload, nowMs });
    expect(expiresAtMs).toBe((NOW_S + 60) * 1000);
    expect(await check(ticket)).toMatchObject({ jti: expect.stringMatching(/^[\w-]{22}$/), upload, isExpired: false });
  });
});
