import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { clientAddresses } from '../../../src/http/client-address.ts';
import { trustedProxies } from '../../../src/http/trusted-proxies.ts';

function address(proxies: readonly string[], remoteAddress: string | undefined, forwarded?: string | string[]): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddresses(trustedProxies(proxies))({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

describe('without trusted proxies', () => {
  test("an X-Forwarded-For is anybody's invention", () => {
    expect(address([], '203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(address(['10.0.0.0/8'], '203.0.113.9', '10.0.0.1, 198.51.100.1')).toBe('203.0.113.9');
  });

  test('a socket that is gone has no address, and that is no fault', () => {
    expect(address([], undefined)).toBe('');
    expect(address(['10.0.0.0/8'], undefined, '198.51.100.1')).toBe('');
  });
});

describe('behind trusted proxies', () => {
  const trusted = ['10.0.0.0/8', '192.0.2.7', '2001:db8:ffff::/48'];

  test.each([
    ['one proxy', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['two proxies', '10.1.2.3', '198.51.100.1, 192.0.2.7', '198.51.100.1'],
    ['no header', '10.1.2.3', undefined, '10.1.2.3'],
    ['an empty header', '10.1.2.3', '', '10.1.2.3'],
    ['all hops trusted', '10.1.2.3', '10.9.9.9, 192.0.2.7', '10.9.9.9'],
    ['a spoofed beginning', '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.4.4.4', '198.51.100.1'],
    ['a spoofed trusted beginning', '10.1.2.3', '10.0.0.1, 198.51.100.1', '198.51.100.1'],
    ['an entry that is no address', '10.1.2.3', '198.51.100.1, unknown, 10.4.4.4', '10.4.4.4'],
    ['a neighbour of the trusted one', '192.0.2.8', '198.51.100.1', '192.0.2.8'],
    ['a proxy over IPv6', '2001:db8:ffff::1', '198.51.100.1', '198.51.100.1'],
    ['spaces', '10.1.2.3', ' 198.51.100.1 ,10.4.4.4 ', '198.51.100.1'],
  ])('%s', (_what, remote, forwarded, client) => {
    expect(address(trusted, remote, forwarded)).toBe(client);
  });

  test('the header given several times counts as one list', () => {
    expect(address(trusted, '10.1.2.3', ['1.1.1.1', '198.51.100.1', '10.4.4.4'])).toBe('198.51.100.1');
  });

  test('a link-local client with a zone is no fault, on the socket or in the header', () => {
    expect(address(trusted, 'fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(address(trusted, '10.1.2.3', 'fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });
});

describe('one household is one client', () => {
  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (remote, network) => {
    expect(address([], remote)).toBe(network);
  });

  test('its neighbour is another', () => {
    expect(address([], '2001:db8:1:3::1')).not.toBe(address([], '2001:db8:1:2::1'));
  });

  test.each(['::ffff:192.0.2.1', '::FFFF:192.0.2.1'])('a mapped IPv4 address (%s) is that address', (remote) => {
    expect(address([], remote)).toBe('192.0.2.1');
    expect(address(['192.0.2.0/24'], remote, '198.51.100.1')).toBe('198.51.100.1');
  });

  test('a mapped IPv4 address in hexadecimal is that address too', () => {
    expect(address(['10.0.0.0/8'], '10.1.2.3', '::ffff:c000:201')).toBe('192.0.2.1');
  });
});

describe('hops as other proxies write them', () => {
  const behind = clientAddresses(trustedProxies(['10.0.0.0/8']));
  const clientOf = (headers: Record<string, string>) =>
    behind({ socket: { remoteAddress: '10.1.2.3' }, headers } as unknown as IncomingMessage);

  test.each([
    ['203.0.113.7:5123', '203.0.113.7'],
    ['[2001:db8:1:2::7]:443', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::7]', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2::7]:443"', '2001:db8:1:2::/64'],
    ['"203.0.113.7"', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
    ['198.51.100.9, 203.0.113.7:1, 10.4.4.4:2', '203.0.113.7'],
    [',, 203.0.113.7 ,', '203.0.113.7'],
    ['203.0.113.7:', '10.1.2.3'],
    ['203.0.113.7:x', '10.1.2.3'],
    ['[203.0.113.7]:80:80', '10.1.2.3'],
  ])('reads the address in X-Forwarded-For: %s', (header, client) => {
    expect(clientOf({ 'x-forwarded-for': header })).toBe(client);
  });

  test.each([
    ['for=203.0.113.7', '203.0.113.7'],
    ['For="203.0.113.7:5123"; proto=https;by=10.4.4.4', '203.0.113.7'],
    ['for=192.0.2.1, for="[2001:db8:1:2::7]:4711";host="a,b;c", for=10.4.4.4', '2001:db8:1:2::/64'],
    ['proto=https', '10.1.2.3'],
    ['for=_hidden', '10.1.2.3'],
    ['for=unknown', '10.1.2.3'],
    ['for="', '10.1.2.3'],
  ])('reads the address in Forwarded: %s', (header, client) => {
    expect(clientOf({ forwarded: header })).toBe(client);
  });

  test('X-Forwarded-For wins over Forwarded', () => {
    expect(clientOf({ 'x-forwarded-for': '203.0.113.7', forwarded: 'for=192.0.2.1' })).toBe('203.0.113.7');
  });

  test('reports the first hop that is no address, once', () => {
    const unknown: string[] = [];
    const addressOf = clientAddresses(trustedProxies(['10.0.0.0/8']), (hop) => unknown.push(hop));
    const ask = (remoteAddress: string, hop: string) =>
      addressOf({ socket: { remoteAddress }, headers: { 'x-forwarded-for': hop } } as unknown as IncomingMessage);
    ask('192.0.2.1', 'from a stranger');
    ask('10.1.2.3', '203.0.113.7');
    expect(unknown).toEqual([]);
    ask('10.1.2.3', 'client-a');
    ask('10.1.2.3', 'client-b');
    expect(unknown).toEqual(['client-a']);
  });
});
