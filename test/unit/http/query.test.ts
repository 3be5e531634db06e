import { expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { queryParameter } from '../../../src/http/query.ts';

test.each([
  ['given once', 'since=7&timeout=5', '7'],
  ['given twice', 'since=7&since=8', ['7', '8']],
  ['not given', 'timeout=5', undefined],
  ['that only an object has', '', undefined],
  ['escaped', 'since=a%20b+c', 'a b c'],
])('a parameter %s', (_what, querystring, value) => {
  const name = querystring === '' ? 'toString' : 'since';
  expect(queryParameter({ querystring } as Context, name)).toEqual(value);
});

test('what is asked for is not kept on the request', () => {
  const ctx = { querystring: 'since=7' };
  queryParameter(ctx as Context, 'since');
  expect(Object.keys(ctx)).toEqual(['querystring']);
});
