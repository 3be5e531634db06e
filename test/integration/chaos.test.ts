import { expect, test } from '@jest/globals';
import { runChaos } from '../../scripts/chaos/run-chaos.ts';
import { FAULT_KINDS } from '../../scripts/chaos/fault-schedule.ts';
import { patienceMs } from '../helpers/patience.ts';

const OPTIONS = {
  uploads: 60,
  seconds: 6,
  apis: 2,
  workers: 2,
  seed: 18,
  faults: 9,
  settleSeconds: 90,
  powerLoss: false,
  tenants: true,
};

test(
  'under random deaths and faults each accepted upload gets exactly one outcome, and no file is left over',
  async () => {
    const { checks, results, injector, evidence } = await runChaos(OPTIONS, {
      say: () => undefined,
      started: () => undefined,
    });
    const failed = checks.filter(({ findings }) => findings.length > 0);
    expect([failed, failed.length === 0 ? [] : evidence]).toEqual([[], []]);
    // A run without uploads and faults would prove nothing.
    expect(results.filter(({ acceptedAtMs }) => acceptedAtMs !== undefined).length).toBeGreaterThan(
      OPTIONS.uploads / 2,
    );
    expect(FAULT_KINDS.filter((kind) => injector.counts.has(kind)).length).toBeGreaterThan(3);
  },
  patienceMs(240_000),
);
