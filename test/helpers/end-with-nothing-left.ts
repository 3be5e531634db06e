import { afterAll, beforeAll } from '@jest/globals';
import { expectNothingLeft, takeBaseline, type Baseline } from './nothing-left.ts';
import type { Service } from './service.ts';

/**
 * Counts the resources of a service before the first test. After the last test it checks that the uploads have left
 * nothing, and stops the service. Hooks run in the order of their calls, so call this after the start of the service.
 */
export function endWithNothingLeft(service: () => Service): void {
  let baseline: Baseline;

  beforeAll(async () => {
    // The first request opens descriptors that stay open and belong to no upload.
    await fetch(`${service().url}/healthz`);
    baseline = takeBaseline(service());
  });
  afterAll(async () => {
    try {
      await expectNothingLeft(service(), baseline);
    } finally {
      await service().stop();
    }
  });
}
