import type { Part } from '../lib/part.ts';
import { measureOrder } from './order-costs.ts';
import { measurePhotos } from './photo-waits.ts';

/** Measures the fair order: the wait of a single upload beside a crowded tenant, and the cost of the order in Redis. */
export const fairness: Part = {
  name: 'fairness',
  async run(session, options) {
    const photos = await measurePhotos(session, options);
    return `${photos}\n\n${await measureOrder(session, options)}`;
  },
};
