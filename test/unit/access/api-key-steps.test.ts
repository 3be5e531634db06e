import { expect, jest, test } from '@jest/globals';
import * as crypto from 'node:crypto';
import type { Tenants as TenantsOfFile } from '../../../src/access/tenants.ts';
import { keyEntry, newApiKey } from '../../helpers/access-file.ts';

/** The steps of the last search whose time could depend on a key. */
const steps: string[] = [];

jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  createHash: (name: string) => {
    steps.push(`hash ${name}`);
    return crypto.createHash(name);
  },
  timingSafeEqual: (one: Buffer, other: Buffer) => {
    steps.push(`compare ${one.length} and ${other.length} bytes in constant time`);
    return crypto.timingSafeEqual(one, other);
  },
}));
const { Tenants } = await import('../../../src/access/tenants.ts');
const { parseAccessFile } = await import('../../../src/access/access-file.ts');

function stepsOf(tenants: TenantsOfFile, apiKey: string): { isFound: boolean; steps: string[] } {
  steps.length = 0;
  const isFound = tenants.findApiKey(apiKey) !== undefined;
  return { isFound, steps: [...steps] };
}

test('an unknown tenant, a wrong key, a removed key and a valid key take the same steps', async () => {
  const [valid, second] = [newApiKey('acme'), newApiKey('acme')];
  const keys = [keyEntry('k1', valid), keyEntry('k2', second)];
  const tenants = await Tenants.from(parseAccessFile(JSON.stringify({ tenants: { acme: { keys }, other: {} } })));
  const expected = ['hash sha256', 'compare 32 and 32 bytes in constant time'];
  expect(stepsOf(tenants, valid)).toEqual({ isFound: true, steps: expected });
  const lastChanged = `${valid.slice(0, -1)}${valid.endsWith('A') ? 'B' : 'A'}`;
  for (const wrong of [newApiKey('acme'), lastChanged, newApiKey('other'), newApiKey('nobody')])
    expect(stepsOf(tenants, wrong)).toEqual({ isFound: false, steps: expected });
});
