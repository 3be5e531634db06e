import { afterAll, beforeAll } from '@jest/globals';
import { expectNothingLeft, takeStock, type Stock } from './nothing-left.ts';
import type { Service } from './service.ts';

/**
 * Has a suite take stock of its service before the first test, and after the last see that nothing is left of its uploads,
 * and stop it. Hooks run in the order in which they are written: this call stands below the one that starts the service.
 */
export function endWithNothingLeft(service: () => Service): void {
  let stock: Stock;

  beforeAll(async () => {
    // What a first request opens for good is no upload's.
    await fetch(`${service().url}/healthz`);
    stock = takeStock(service());
  });
  afterAll(async () => {
    try {
      await expectNothingLeft(service(), stock);
    } finally {
      await service().stop();
    }
  });
}
