import { expect, test } from '@jest/globals';
import { tenantCells } from '../../../../src/page/operators/tenants-view.ts';

test('a tenant is shown with its use, the limits that it has, and the limits that are reached', () => {
  const use = {
    waiting: 500,
    receiving: 2,
    uploadsPerDay: 1812,
    bytesPerDay: 0,
    storedBytes: 2_500_000,
    createPerMinute: 3,
  };
  expect(tenantCells({ name: 'acme', weight: 1, limits: { waiting: 500, storedBytes: 5e9 }, use })).toEqual([
    { text: '500 of 500', isFull: true },
    { text: '2', isFull: false },
    { text: '1,812', isFull: false },
    { text: '0', isFull: false },
    { text: '2.5 MB of 5 GB', isFull: false },
    { text: '3', isFull: false },
  ]);
});
