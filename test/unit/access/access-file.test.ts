import { describe, expect, test } from '@jest/globals';
import { AccessFileError, parseAccessFile } from '../../../src/access/access-file.ts';
import { keyEntry, newApiKey, newSecret } from '../../helpers/access-file.ts';
import { WEBHOOK_EVENTS } from '../../../src/wire/webhook-schemas.ts';

const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const JWK = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) };

function fileOf(acme: unknown, others: Record<string, unknown> = {}): string {
  return JSON.stringify({ tenants: { acme, ...others } });
}

function mistakeIn(text: string): string {
  try {
    parseAccessFile(text, (options) => !('invalid' in options));
  } catch (error) {
    if (error instanceof AccessFileError) return error.message;
    throw error;
  }
  return 'no mistake';
}

describe('the access file', () => {
  test('is parsed with every member of its documentation', () => {
    const acme = {
      keys: [keyEntry('k1', newApiKey('acme'))],
      tickets: [
        { kid: 'acme-2026-11', alg: 'HS256', secret: newSecret() },
        { kid: 'acme-ed', alg: 'EdDSA', jwk: JWK },
      ],
      limits: {
        waiting: 500,
        receiving: 50,
        uploadsPerDay: 10_000,
        bytesPerDay: 100_000_000_000,
        storedBytes: 500_000_000_000,
        createPerMinute: 600,
      },
      weight: 1,
      presets: { avatar: { variants: [{ name: 'card', width: 400, height: 400, fit: 'cover' }] } },
      webhooks: [
        { id: 'main', url: 'https://app.example/hooks', secret: WEBHOOK_SECRET, events: ['upload.completed'] },
        { id: 'all', url: 'https://app.example/hooks', secret: [WEBHOOK_SECRET, WEBHOOK_SECRET] },
      ],
    };
    const [main, all] = acme.webhooks.map(({ secret, ...rest }) => ({ ...rest, secrets: [secret].flat() }));
    expect(parseAccessFile(fileOf(acme)).tenants['acme']).toEqual({
      ...acme,
      webhooks: [main, { ...all, events: [...WEBHOOK_EVENTS] }],
    });
  });

  test('gives a tenant no keys, no limits and the weight 1 by default', () => {
    expect(parseAccessFile(`\uFEFF${fileOf({})}`).tenants['acme']).toEqual({
      keys: [],
      tickets: [],
      limits: {},
      weight: 1,
      presets: {},
      webhooks: [],
    });
  });

  test.each([
    ['JSON that is cut off', '{"tenants": {', 'is not JSON at line 1, column 14'],
    ['two tenants with one name', '{"tenants":{"a":{},\n"a":{}}}', 'uses a name twice at line 2, column 1'],
    ['no object', '[]', 'the file '],
    ['a wrong name of a tenant', fileOf({}, { 'A B': {} }), 'tenants.A B is a wrong name: it must be 1 to 64 of a-z'],
    ['a key without digest', fileOf({ keys: [{ id: 'k1' }] }), 'tenants.acme.keys[0].sha256 is missing'],
    ['a misspelled member', fileOf({ limit: {} }), 'tenants.acme has the unknown member limit'],
    ['a name in capital letters', JSON.stringify({ tenants: { Acme: {} } }), 'tenants.Acme '],
    ['a digest that is too short', fileOf({ keys: [{ id: 'k1', sha256: 'abc' }] }), 'tenants.acme.keys[0].sha256 must'],
    ['an unknown algorithm', fileOf({ tickets: [{ kid: 'a', alg: 'none' }] }), 'tenants.acme.tickets[0].alg must be'],
    [
      'a short secret',
      fileOf({ tickets: [{ kid: 'a', alg: 'HS256', secret: 'c2hvcnQ' }] }),
      'tenants.acme.tickets[0].secret must have at least 32 bytes',
    ],
    [
      'a JWK of another kind',
      fileOf({ tickets: [{ kid: 'a', alg: 'ES256', jwk: JWK }] }),
      'tickets[0].jwk.kty must be EC',
    ],
    ['a negative limit', fileOf({ limits: { waiting: -1 } }), 'tenants.acme.limits.waiting must be at least 0'],
    ['a weight of 0', fileOf({ weight: 0 }), 'tenants.acme.weight must be at least'],
    ['options of no file kind', fileOf({ presets: { a: { invalid: 1 } } }), 'tenants.acme.presets.a is not valid'],
    [
      'an unknown event',
      fileOf({ webhooks: [{ id: 'a', url: 'https://a.example', secret: WEBHOOK_SECRET, events: ['upload.done'] }] }),
      'tenants.acme.webhooks[0].events[0] must be upload.completed, ',
    ],
    [
      'a kid of two tenants',
      fileOf(
        { tickets: [{ kid: 'a', alg: 'HS256', secret: newSecret() }] },
        { other: { tickets: [{ kid: 'a', alg: 'HS256', secret: newSecret() }] } },
      ),
      'tenants.other.tickets[0].kid is used twice',
    ],
    [
      'an API key of two tenants',
      fileOf({ keys: [keyEntry('a', 'x')] }, { other: { keys: [keyEntry('b', 'x')] } }),
      'tenants.other.keys[0].sha256 is used twice',
    ],
    [
      'two API keys with one id',
      fileOf({ keys: [keyEntry('a', 'x'), keyEntry('a', 'y')] }),
      'tenants.acme.keys[1].id is used twice',
    ],
  ])('is rejected with the place of the mistake: %s', (_, text, mistake) => {
    expect(mistakeIn(text)).toContain(mistake);
    expect(mistakeIn(text)).not.toContain('\n');
  });

  test('is rejected with a line that contains no secret', () => {
    const secret = newSecret();
    const cases = [
      `{"tenants":{"acme":{"tickets":[{"kid":"a","alg":"HS256","secret":"${secret}"]}}}`,
      `{"tenants":{"acme":{"tickets":[{"kid":"a","alg":"HS256","secret":${secret}}]}}}`,
      fileOf({ tickets: [{ kid: 'a', alg: 'HS256', secret: `${secret}=` }] }),
      fileOf({ tickets: [{ kid: 'a', alg: 'EdDSA', jwk: secret }] }),
      fileOf({ [secret]: 'kid' }),
      JSON.stringify({ tenants: { [newApiKey(secret.slice(0, 6))]: { keys: 1 } } }),
      fileOf({ webhooks: [{ id: 'a', url: `https://${secret}@`, secret: `whsec_${secret} `, events: [secret] }] }),
    ];
    for (const text of cases) {
      expect(mistakeIn(text)).not.toBe('no mistake');
      expect(mistakeIn(text)).not.toContain(secret.slice(0, 6));
    }
  });
});
