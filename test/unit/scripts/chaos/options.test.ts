import { describe, expect, test } from '@jest/globals';
import { parseChaosOptions } from '../../../../scripts/chaos/options.ts';

describe('chaos options', () => {
  test('are numbers, and a flag for power loss', () => {
    expect(parseChaosOptions(['--uploads', '50', '--seed', '9', '--faults', '3', '--power-loss'])).toMatchObject({
      uploads: 50,
      seed: 9,
      faults: 3,
      powerLoss: true,
    });
    expect(parseChaosOptions([])).toMatchObject({ uploads: 2000, apis: 3, workers: 3, powerLoss: false });
  });

  test.each(['0', '-1', '1.5', 'many', ''])('are rejected if they are %p', (text) => {
    expect(() => parseChaosOptions([`--uploads=${text}`])).toThrow('--uploads takes a positive whole number');
  });

  test('are rejected if they are unknown', () => {
    expect(() => parseChaosOptions(['--upload', '5'])).toThrow("'--upload'");
  });
});
