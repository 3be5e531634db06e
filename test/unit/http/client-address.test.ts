import { describe, expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { clientAddresses } from '../../../src/http/client-address.ts';
import { trustedProxies } from '../../../src/http/trusted-proxies.ts';

function address(proxies: readonly string[], remoteAddress: string | undefined, forwarded?: string | string[]): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddresses(trustedProxies(proxies))({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

describe('the client address without trusted proxies', () => {
  test('ignores X-Forwarded-For, which any client can invent', () => {
    expect(address([], '203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(address(['10.0.0.0/8'], '203.0.113.9', '10.0.0.1, 198.51.100.1')).toBe('203.0.113.9');
  });

  test('is undefined for a closed socket, without an error', () => {
    expect(address([], undefined)).toBe('');
    expect(address(['10.0.0.0/8'], undefined, '198.51.100.1')).toBe('');
  });
});

describe('the client address behind trusted proxies', () => {
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
  ])('is found with %s', (_what, remote, forwarded, client) => {
    expect(address(trusted, remote, forwarded)).toBe(client);
  });

  test('is found in a header that appears several times, as in one list', () => {
    expect(address(trusted, '10.1.2.3', ['1.1.1.1', '198.51.100.1', '10.4.4.4'])).toBe('198.51.100.1');
  });

  test('may have a zone, on the socket or in the header', () => {
    expect(address(trusted, 'fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(address(trusted, '10.1.2.3', 'fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });
});

describe('the client key of an address', () => {
  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('of %s is %s', (remote, network) => {
    expect(address([], remote)).toBe(network);
  });

  test('differs between neighbours', () => {
    expect(address([], '2001:db8:1:3::1')).not.toBe(address([], '2001:db8:1:2::1'));
  });

  test.each(['::ffff:192.0.2.1', '::FFFF:192.0.2.1'])(
    'of a mapped IPv4 address (%s) is that of the IPv4 address',
    (remote) => {
      expect(address([], remote)).toBe('192.0.2.1');
      expect(address(['192.0.2.0/24'], remote, '198.51.100.1')).toBe('198.51.100.1');
    },
  );

  test('is the same for an IPv4 address and for its mapped form in hexadecimal', () => {
    expect(address(['10.0.0.0/8'], '10.1.2.3', '::ffff:c000:201')).toBe('192.0.2.1');
  });
});

describe('forwarded addresses as proxies write them', () => {
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
  ])('are read from X-Forwarded-For: %s', (header, client) => {
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
  ])('are read from Forwarded: %s', (header, client) => {
    expect(clientOf({ forwarded: header })).toBe(client);
  });

  test('are taken from X-Forwarded-For rather than Forwarded', () => {
    expect(clientOf({ 'x-forwarded-for': '203.0.113.7', forwarded: 'for=192.0.2.1' })).toBe('203.0.113.7');
  });

  test('are reported once if one is not an address', () => {
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
