import { onInterrupt } from '../../lib/bench.ts';
import type { Part } from '../lib/part.ts';
import { measureOrder, reportOrder, type OrderCost } from './order-costs.ts';
import { measurePhotos, reportPhotos, type PhotoTimes } from './photo-waits.ts';

/** Measures the fair order: the wait of a single upload beside a crowded tenant, and the cost of the order in Redis. */
export const fairness: Part = {
  name: 'fairness',
  summary: 'the wait of a photo beside a tenant with a long queue, and the cost of the fair order in Redis',
  async run(session, options) {
    const photos: PhotoTimes = { alone: [], crowded: [] };
    const costs: OrderCost[] = [];
    const report = () => `${reportPhotos(photos)}\n\n${reportOrder(costs, options.tenants)}`;
    onInterrupt(report);
    await measurePhotos(session, options, photos);
    await measureOrder(session, options, costs);
    return report();
  },
};
