import { describe, expect, test } from '@jest/globals';
import { planUploads } from '../../../../scripts/chaos/upload-plan.ts';

const shape = { uploads: 1000, seconds: 60 };

describe('upload plan', () => {
  test('is the same for the same seed, and differs for another', () => {
    expect(planUploads(shape, 7)).toEqual(planUploads(shape, 7));
    expect(planUploads(shape, 8)).not.toEqual(planUploads(shape, 7));
  });

  test('has clients of every kind, all of which start within the time', () => {
    const plans = planUploads(shape, 7);
    expect(plans).toHaveLength(1000);
    expect(new Set(plans.map(({ way, intent }) => `${way} ${intent}`))).toEqual(
      new Set([
        ...['put', 'form', 'tus'].flatMap((way) => ['keep', 'cancel', 'delete'].map((intent) => `${way} ${intent}`)),
        'put stop',
      ]),
    );
    expect(new Set(plans.map(({ followsBy, followsEarly }) => `${followsBy} ${followsEarly}`)).size).toBe(4);
    expect(plans.filter(({ atMs }) => atMs < 0 || atMs > 60_000)).toEqual([]);
    expect(new Set(plans.map(({ seed }) => seed)).size).toBeGreaterThan(990);
  });
});
