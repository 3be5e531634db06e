import { expect, test } from '@jest/globals';
import { parseHosts } from '../../../src/queue/redis-place.ts';

test('parses names and addresses, with a port or the default one', () => {
  expect(parseHosts('redis-1:7000, 10.0.0.2 ,,[2001:db8::1]:7002,[::1]', 26_379)).toEqual([
    { host: 'redis-1', port: 7000 },
    { host: '10.0.0.2', port: 26_379 },
    { host: '2001:db8::1', port: 7002 },
    { host: '::1', port: 26_379 },
  ]);
  expect(parseHosts('', 1)).toEqual([]);
});

test.each(['a:0', 'a:65536', 'a:b', 'a:', ':1', 'redis://a:1', 'a:1:2', '::1', 'a b', 'user@a:1', 'a/0'])(
  '%s is not a host',
  (text) => {
    expect(parseHosts(`ok:1,${text}`, 1)).toBe(undefined);
  },
);
