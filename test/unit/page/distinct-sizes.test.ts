import { expect, test } from '@jest/globals';
import { distinctSizes } from '../../../src/page/distinct-sizes.ts';

test('the first of several variants of the same size is offered', () => {
  const variants = [
    { name: '1600', width: 600, height: 400 },
    { name: '640', width: 600, height: 400 },
    { name: '160', width: 160, height: 107 },
  ];
  expect(distinctSizes(variants).map(({ name }) => name)).toEqual(['1600', '160']);
});
