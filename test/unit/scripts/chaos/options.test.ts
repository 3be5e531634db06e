import { describe, expect, test } from '@jest/globals';
import { parseChaosOptions } from '../../../../scripts/chaos/options.ts';

describe('the options of a run', () => {
  test('are numbers, and whether Redis is to lose its last second', () => {
    expect(parseChaosOptions(['--uploads', '50', '--seed', '9', '--faults', '3', '--power-loss'])).toMatchObject({
      uploads: 50,
      seed: 9,
      faults: 3,
      powerLoss: true,
    });
    expect(parseChaosOptions([])).toMatchObject({ uploads: 2000, apis: 3, workers: 3, powerLoss: false });
  });

  test.each(['0', '-1', '1.5', 'many', ''])('are refused where they are %p', (text) => {
    expect(() => parseChaosOptions([`--uploads=${text}`])).toThrow('--uploads takes a positive whole number');
  });

  test('are refused where nobody knows them', () => {
    expect(() => parseChaosOptions(['--upload', '5'])).toThrow("'--upload'");
  });
});
