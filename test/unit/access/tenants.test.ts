import { describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { keyEntry, newApiKey, newSecret } from '../../helpers/access-file.ts';

async function tenantsOf(tenants: Record<string, unknown>): Promise<Tenants> {
  return await Tenants.from(parseAccessFile(JSON.stringify({ tenants })));
}

describe('the tenants', () => {
  test('are found by API key and by the kid of a ticket key', async () => {
    const key = newApiKey('acme');
    const tenants = await tenantsOf({
      acme: { keys: [keyEntry('k1', key)], tickets: [{ kid: 'a', alg: 'HS256', secret: newSecret() }], weight: 2 },
      other: {},
    });
    expect(tenants.findApiKey(key)).toMatchObject({ keyId: 'k1', tenant: { name: 'acme', weight: 2 } });
    expect(tenants.findTicketKey('a')).toMatchObject({ tenant: { name: 'acme' }, key: { alg: 'HS256' } });
    expect([...tenants.all].map(({ name }) => name)).toEqual(['acme', 'other']);
    expect(tenants.get('other')?.name).toBe('other');
  });

  test('are not found by a wrong key, a key of an unknown tenant, or an unknown kid', async () => {
    const tenants = await tenantsOf({ acme: { keys: [keyEntry('k1', newApiKey('acme'))] } });
    expect([
      tenants.findApiKey(newApiKey('acme')),
      tenants.findApiKey(newApiKey('nobody')),
      tenants.findApiKey(''),
      tenants.findTicketKey('constructor'),
    ]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each(['EdDSA', 'ES256'] as const)('can sign only with the private half of a key of %s', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const [open, secret] = await Promise.all([exportJWK(pair.publicKey), exportJWK(pair.privateKey)]);
    const tenants = await tenantsOf({
      acme: {
        tickets: [
          { kid: 'open', alg, jwk: { ...open, use: 'enc', key_ops: ['encrypt'] } },
          { kid: 'secret', alg, jwk: secret },
        ],
      },
    });
    expect(tenants.findTicketKey('open')?.key.signing).toBeUndefined();
    expect(tenants.findTicketKey('secret')?.key.signing?.type).toBe('private');
    expect(tenants.findTicketKey('secret')?.key.verifying.type).toBe('public');
  });

  test('are rejected if a JWK has the right members but is no key', async () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) };
    await expect(tenantsOf({ acme: { tickets: [{ kid: 'a', alg: 'ES256', jwk }] } })).rejects.toThrow(
      'tenants.acme.tickets[0].jwk is not a key for ES256',
    );
  });
});
