import { describe, expect, test } from '@jest/globals';
import type { Tenant } from '../../../src/access/tenants.ts';
import { readTenantFigures } from '../../../src/operators/tenant-figures.ts';
import type { TenantUse } from '../../../src/record/quota.ts';

const NOTHING: TenantUse = {
  waiting: 0,
  receiving: 0,
  uploadsPerDay: 0,
  bytesPerDay: 0,
  storedBytes: 0,
  createPerMinute: 0,
};

function tenant(name: string, limits: Tenant['limits'] = {}): Tenant {
  return { name, limits, weight: 1, presets: {}, webhooks: [], ticketKeys: [] };
}

describe('the figures of tenants', () => {
  test('are null in open mode', async () => {
    const readUse = async () => [];
    expect(await readTenantFigures({ tenants: () => undefined, readUse })).toBeNull();
  });

  test('begin with the tenants that are nearest to a limit, then with the most waiting uploads', async () => {
    const tenants = [
      tenant('idle'),
      tenant('busy'),
      tenant('half', { waiting: 10, storedBytes: 100 }),
      tenant('full', { createPerMinute: 5 }),
    ];
    const uses: Record<string, Partial<TenantUse>> = {
      busy: { waiting: 900 },
      half: { waiting: 2, storedBytes: 50 },
      full: { createPerMinute: 5 },
    };
    const readUse = async (names: readonly string[]) => names.map((name) => ({ ...NOTHING, ...uses[name] }));
    const figures = await readTenantFigures({ tenants: () => tenants, readUse });
    expect(figures?.listed.map(({ name }) => name)).toEqual(['full', 'half', 'busy', 'idle']);
    expect(figures?.listed[0]).toEqual({
      name: 'full',
      weight: 1,
      limits: { createPerMinute: 5 },
      use: { ...NOTHING, createPerMinute: 5 },
    });
  });

  test('are read in small calls, and list at most 100 of many tenants', async () => {
    const tenants = Array.from({ length: 450 }, (_, index) => tenant(`t${index}`));
    const calls: number[] = [];
    const readUse = async (names: readonly string[]) => {
      calls.push(names.length);
      return names.map(() => NOTHING);
    };
    const figures = await readTenantFigures({ tenants: () => tenants, readUse });
    expect([figures?.count, figures?.listed.length, calls]).toEqual([450, 100, [200, 200, 50]]);
  });
});
