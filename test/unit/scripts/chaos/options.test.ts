import { describe, expect, test } from '@jest/globals';
import { parseChaosOptions } from '../../../../scripts/chaos/options.ts';

describe('chaos options', () => {
  test('are numbers, and flags for power loss and tenants', () => {
    expect(
      parseChaosOptions(['--uploads', '50', '--seed', '9', '--faults', '3', '--power-loss', '--tenants']),
    ).toMatchObject({ uploads: 50, seed: 9, faults: 3, powerLoss: true, tenants: true });
    expect(parseChaosOptions([])).toMatchObject({
      uploads: 2000,
      apis: 3,
      workers: 3,
      powerLoss: false,
      tenants: false,
    });
  });

  test.each(['0', '-1', '1.5', 'many', ''])('are rejected if they are %p', (text) => {
    expect(() => parseChaosOptions([`--uploads=${text}`])).toThrow('--uploads takes a positive whole number');
  });

  test('are rejected if they are unknown', () => {
    expect(() => parseChaosOptions(['--upload', '5'])).toThrow("'--upload'");
  });
});
