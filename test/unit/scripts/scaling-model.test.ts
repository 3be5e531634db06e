import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Costs } from '../../../scripts/bench/scale/costs/costs.ts';
import { readScalingTables } from '../../../scripts/bench/scale/model/model.ts';
import { STEPS, siteAfter } from '../../../scripts/bench/scale/model/steps.ts';
import { ceilingOf, usesOf } from '../../../scripts/bench/scale/model/uses.ts';
import { staffingOf, type Work } from '../../../scripts/bench/scale/model/site.ts';

const costs = JSON.parse(readFileSync('docs/scaling-costs.json', 'utf8')) as Costs;
const works: readonly Work[] = [
  { title: 'photo', upload: costs.photo },
  { title: 'small', upload: costs.small },
];
const counts = [1, 10, 100, 1000];

describe('the model of scale', () => {
  test('the tables of the guide are those that it counts', async () => {
    expect(readFileSync('docs/scaling.md', 'utf8')).toContain(await readScalingTables());
  });

  test('a site that carries as much as it can has one limit taken whole, and none more than that', () => {
    for (const work of works) {
      for (const machines of counts) {
        const site = siteAfter(0, machines);
        const { uploadsPerSecond, limit } = ceilingOf(costs, work, site);
        const uses = usesOf(costs, work, site, uploadsPerSecond);
        expect(uses[limit]).toBeCloseTo(1);
        expect(Math.max(...Object.values(uses))).toBeCloseTo(1);
      }
    }
  });

  test('no step takes away what the steps before it have brought', () => {
    for (const work of works) {
      for (const machines of counts) {
        const carried = STEPS.map((_, step) => ceilingOf(costs, work, siteAfter(step, machines)).uploadsPerSecond);
        for (const [step, uploads] of carried.entries())
          expect(uploads).toBeGreaterThanOrEqual((carried[step - 1] ?? 0) * 0.999_999);
      }
    }
  });

  test('as many machines and queues more carry as much more: nothing is left that all of them share', () => {
    for (const work of works) {
      const [ten, hundred] = [10, 100].map((count) =>
        ceilingOf(costs, work, { ...siteAfter(STEPS.length - 1, count), queues: count }),
      );
      expect(hundred?.uploadsPerSecond).toBeCloseTo(10 * (ten?.uploadsPerSecond ?? 0));
      expect(hundred?.limit).toBe(ten?.limit);
    }
  });

  test('a machine has a process of each kind, and one for each core', () => {
    for (const work of works) {
      const { apis, workers } = staffingOf(costs, work);
      expect(Math.min(apis, workers)).toBeGreaterThan(0);
      expect(apis + workers).toBe(8);
    }
  });
});
