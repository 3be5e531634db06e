import { describe, expect, test } from '@jest/globals';
import { createHmac, createSecretKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { importTicketKey } from '../../../src/access/ticket-keys.ts';
import { isSignedWith, payloadOf, splitTicket } from '../../../src/access/ticket-signatures.ts';
import { checkTicket, TicketError } from '../../../src/access/tickets.ts';

const NOW_S = 1_800_000_000;
const CLAIMS = { aud: 'deferred-uploads', iat: NOW_S, exp: NOW_S + 900 };

const secret = createSecretKey(Buffer.alloc(32, 7));
const ed = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const attacker = {
  HS256: createSecretKey(Buffer.alloc(32, 8)),
  EdDSA: generateKeyPairSync('ed25519').privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};
const keys = { HS256: secret, EdDSA: ed.privateKey, ES256: p256.privateKey };
type Alg = keyof typeof keys;
const ALGORITHMS = ['HS256', 'EdDSA', 'ES256'] as const;

const tickets = [
  { kid: 'HS256', alg: 'HS256', secret: secret.export().toString('base64url') },
  { kid: 'EdDSA', alg: 'EdDSA', jwk: ed.publicKey.export({ format: 'jwk' }) },
  { kid: 'ES256', alg: 'ES256', jwk: p256.publicKey.export({ format: 'jwk' }) },
];
const tenants = await Tenants.from(parseAccessFile(JSON.stringify({ tenants: { acme: { tickets } } })));

function signatureOf(alg: Alg, key: KeyObject, text: string): Buffer {
  if (alg === 'HS256') return createHmac('sha256', key).update(text).digest();
  if (alg === 'EdDSA') return sign(null, Buffer.from(text), key);
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
}

const encoded = (part: unknown): string =>
  Buffer.from(Buffer.isBuffer(part) || typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

interface Made {
  header?: unknown;
  payload?: unknown;
  key?: KeyObject;
}

/** Signs exactly these bytes, even if they are no JWT. A text or a buffer is taken as it is. */
function ticketOf(alg: Alg, { header = { alg, kid: alg }, payload = CLAIMS, key = keys[alg] }: Made = {}): string {
  const text = `${encoded(header)}.${encoded(payload)}`;
  return `${text}.${signatureOf(alg, key, text).toString('base64url')}`;
}

/** Changes one part of a good ticket. */
function changed(alg: Alg, index: 0 | 1 | 2, change: (part: string) => string): string {
  return ticketOf(alg)
    .split('.')
    .map((part, at) => (at === index ? change(part) : part))
    .join('.');
}

const flipped = (part: string): string => (part.startsWith('A') ? 'B' : 'A') + part.slice(1);
const bytesOf = (change: (bytes: Buffer) => Buffer) => (part: string) =>
  change(Buffer.from(part, 'base64url')).toString('base64url');

/** Returns a text for the same bytes whose last character has bits that no byte needs. */
function withLeftOverBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1);
}

const GOOD: [string, (alg: Alg) => Made][] = [
  ['the smallest header', () => ({})],
  ['other members in the header', (alg) => ({ header: { typ: 'JWT', cty: 'x', alg, kid: alg, 'x-other': [1] } })],
  ['line breaks in the header', (alg) => ({ header: `{"alg":"${alg}",\r\n "kid":"${alg}"}` })],
  ['letters outside ASCII in the payload', () => ({ payload: { ...CLAIMS, iss: 'Größe 写真' } })],
];

const BAD_HEADERS: [string, (alg: Alg) => unknown][] = [
  ['a header that is no JSON', () => 'alg'],
  ['a header that is an array', (alg) => [{ alg, kid: alg }]],
  ['a header that is null', () => 'null'],
  ['a header that is not UTF-8', (alg) => Buffer.from(`{"alg":"${alg}","kid":"${alg}","x":"\xff"}`, 'latin1')],
  ['no algorithm', (alg) => ({ kid: alg })],
  ...['none', 'None', 'NONE', '', 'HS512', 'RS256', 1, null, ['HS256']].map(
    (wrong): [string, (alg: Alg) => unknown] => [
      `the algorithm ${JSON.stringify(wrong)}`,
      (alg) => ({ alg: wrong, kid: alg }),
    ],
  ),
  ['its algorithm in small letters', (alg) => ({ alg: alg.toLowerCase(), kid: alg })],
  ['no kid', (alg) => ({ alg })],
  ['a kid that is an array', (alg) => ({ alg, kid: [alg] })],
  ['the kid __proto__', (alg) => ({ alg, kid: '__proto__' })],
  ['crit with an unknown extension', (alg) => ({ alg, kid: alg, crit: ['http://example.com/x'] })],
  ['an empty crit', (alg) => ({ alg, kid: alg, crit: [] })],
  ['crit and b64: true', (alg) => ({ alg, kid: alg, crit: ['b64'], b64: true })],
  ['crit and b64: false', (alg) => ({ alg, kid: alg, crit: ['b64'], b64: false })],
  ['b64 without crit', (alg) => ({ alg, kid: alg, b64: false })],
];

const BAD_PAYLOADS: [string, unknown][] = [
  ['no JSON', 'aud'],
  ['an array', [CLAIMS]],
  ['null', 'null'],
  ['a text', '"aud"'],
  ['empty', ''],
  ['not UTF-8', Buffer.from(JSON.stringify({ ...CLAIMS, iss: '\xff' }), 'latin1')],
];

const BAD_TEXTS: [string, (alg: Alg) => string][] = [
  ['a changed header', (alg) => changed(alg, 0, () => encoded({ alg, kid: alg, typ: 'x' }))],
  ['a changed payload', (alg) => changed(alg, 1, () => encoded({ ...CLAIMS, exp: NOW_S + 901 }))],
  ['a changed signature', (alg) => changed(alg, 2, flipped)],
  ['no signature', (alg) => changed(alg, 2, () => '')],
  [
    'a signature of zeros',
    (alg) =>
      changed(
        alg,
        2,
        bytesOf((bytes) => Buffer.alloc(bytes.length)),
      ),
  ],
  [
    'a signature without its last byte',
    (alg) =>
      changed(
        alg,
        2,
        bytesOf((bytes) => bytes.subarray(0, -1)),
      ),
  ],
  [
    'a signature with a byte more',
    (alg) =>
      changed(
        alg,
        2,
        bytesOf((bytes) => Buffer.concat([bytes, bytes])),
      ),
  ],
  ['the signature of another key', (alg) => ticketOf(alg, { key: attacker[alg] })],
  ['padding', (alg) => changed(alg, 2, (part) => `${part}${'='.repeat(-part.length & 3)}`)],
  ['a space inside', (alg) => changed(alg, 1, (part) => `${part.slice(0, 8)} ${part.slice(8)}`)],
  ['a line break at its end', (alg) => `${ticketOf(alg)}\n`],
  ['a letter outside ASCII', (alg) => changed(alg, 2, (part) => `${part}é`)],
  [
    'a character that stands for no byte',
    (alg) => changed(alg, 1, (part) => `${part}${'A'.repeat((5 - part.length) & 3)}`),
  ],
  ['bits that are left over', (alg) => changed(alg, 2, withLeftOverBits)],
  ['two parts', (alg) => ticketOf(alg).split('.').slice(0, 2).join('.')],
  ['four parts', (alg) => `${ticketOf(alg)}.e30`],
  ['five parts', (alg) => `${ticketOf(alg)}.e30.e30`],
  ['a point at its end', (alg) => `${ticketOf(alg)}.`],
  [
    'the form of RFC 7515 section 7.2',
    (alg) => JSON.stringify({ payload: encoded(CLAIMS), protected: encoded({ alg }) }),
  ],
  ...ALGORITHMS.map((other): [string, (alg: Alg) => string] => [
    `the key of ${other} under a wrong name`,
    (alg) =>
      ticketOf(other, { header: { alg: other, kid: ALGORITHMS.find((name) => name !== other && name !== alg) } }),
  ]),
];

async function isAccepted(ticket: string): Promise<boolean> {
  return await checkTicket(tenants, ticket, NOW_S * 1000).then(
    () => true,
    (error: unknown) => {
      if (error instanceof TicketError) return false;
      throw error;
    },
  );
}

describe.each(ALGORITHMS)('a ticket signed with %s', (alg) => {
  test.each(GOOD)('is accepted with %s', async (_, made) => {
    expect(await isAccepted(ticketOf(alg, made(alg)))).toBe(true);
  });

  test.each(BAD_HEADERS)('is rejected with %s', async (_, header) => {
    expect(await isAccepted(ticketOf(alg, { header: header(alg) }))).toBe(false);
  });

  test.each(BAD_PAYLOADS)('is rejected if its payload is %s', async (_, payload) => {
    expect(await isAccepted(ticketOf(alg, { payload }))).toBe(false);
  });

  test.each(BAD_TEXTS)('is rejected with %s', async (_, text) => {
    expect(await isAccepted(text(alg))).toBe(false);
  });

  test('is rejected with a key of its own in the header', async () => {
    const key = attacker[alg];
    const header = { alg, kid: alg, jwk: key.export({ format: 'jwk' }), jku: 'https://example.com/keys' };
    expect(await isAccepted(ticketOf(alg, { header, key }))).toBe(false);
  });
});

describe('a ticket signed with HS256', () => {
  // RFC 8725 section 2.1.
  test.each(['EdDSA', 'ES256'] as const)('is rejected if its secret is the public key of %s', async (kid) => {
    const { publicKey } = kid === 'EdDSA' ? ed : p256;
    const pem = createSecretKey(Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })));
    const der = createSecretKey(publicKey.export({ format: 'der', type: 'spki' }));
    for (const key of [pem, der])
      expect(await isAccepted(ticketOf('HS256', { header: { alg: 'HS256', kid }, key }))).toBe(false);
  });

  test('is never accepted if jose rejects its form, header or signature', async () => {
    const all = [
      ...GOOD.map(([, made]) => ticketOf('HS256', made('HS256'))),
      ...BAD_HEADERS.map(([, header]) => ticketOf('HS256', { header: header('HS256') })),
      ...BAD_PAYLOADS.map(([, payload]) => ticketOf('HS256', { payload })),
      ...BAD_TEXTS.map(([, text]) => text('HS256')),
    ];
    const accepted = [];
    for (const ticket of all) if (await isAccepted(ticket)) accepted.push(ticket);
    expect(accepted).toHaveLength(GOOD.length);
    for (const ticket of accepted)
      await expect(compactVerify(ticket, secret, { algorithms: ['HS256'] })).resolves.toBeDefined();
  });
});

describe('the examples of the RFCs', () => {
  const claims = { iss: 'joe', exp: 1_300_819_380, 'http://example.com/is_root': true };
  const payload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
  test.each([
    [
      'RFC 7515 appendix A.1 (HS256)',
      {
        alg: 'HS256' as const,
        secret: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
      },
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
      claims,
    ],
    [
      'RFC 7515 appendix A.3 (ES256)',
      {
        alg: 'ES256' as const,
        jwk: {
          kty: 'EC' as const,
          crv: 'P-256' as const,
          x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
          y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
        },
      },
      `eyJhbGciOiJFUzI1NiJ9.${payload}.` +
        'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
      claims,
    ],
    [
      'RFC 8037 appendix A.4 (EdDSA), whose payload is no JSON',
      {
        alg: 'EdDSA' as const,
        jwk: { kty: 'OKP' as const, crv: 'Ed25519' as const, x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      },
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.' +
        'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
      undefined,
    ],
  ])('are verified: %s', async (_, entry, ticket, expected) => {
    const key = await importTicketKey({ kid: 'k', ...entry });
    const unchecked = splitTicket(ticket);
    if (unchecked === undefined) throw new Error('the example is not taken for a JWT');
    expect(unchecked.alg).toBe(entry.alg);
    expect(await isSignedWith(unchecked, key)).toBe(true);
    expect(await isSignedWith({ ...unchecked, ...splitTicket(ticket.replace('.', '.A')) }, key)).toBe(false);
    expect(payloadOf(unchecked)).toEqual(expected);
  });
});
