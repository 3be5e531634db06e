import { describe, expect, test } from '@jest/globals';
import { isPublicAddress, PublicAddresses, type HostAddress } from '../../../src/http/public-address.ts';

const PRIVATE = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.5',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:a9fe:a9fe',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  '2606:4700::1%eth0',
  'localhost',
  '',
];

/** Answers every lookup with these addresses. */
function resolving(...addresses: string[]): () => Promise<HostAddress[]> {
  return async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

const EXAMPLE = new URL('https://app.example/hooks');

describe('a public address', () => {
  test.each(PRIVATE)('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '::ffff:1.1.1.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    'is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('the addresses of a URL', () => {
  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0/',
  ])('are refused for %s', async (url) => {
    await expect(new PublicAddresses([]).of(new URL(url))).rejects.toThrow('has no public address');
  });

  test('are refused if the host resolves only to private ones', async () => {
    const addresses = new PublicAddresses([], resolving('127.0.0.1', '::1', '10.0.0.1'));
    await expect(addresses.of(EXAMPLE)).rejects.toThrow('app.example has no public address');
  });

  test('do not include a private one among public ones', async () => {
    const addresses = new PublicAddresses([], resolving('127.0.0.1', '1.1.1.1'));
    expect(await addresses.of(EXAMPLE)).toEqual([{ address: '1.1.1.1', family: 4 }]);
  });

  test('include allowed private ones', async () => {
    const addresses = new PublicAddresses(['10.0.0.0/8', '::1'], resolving('10.1.1.1', '::1', '192.168.0.1'));
    expect((await addresses.of(EXAMPLE)).map(({ address }) => address)).toEqual(['10.1.1.1', '::1']);
    expect(await addresses.of(new URL('http://[::ffff:10.2.2.2]:8080/'))).toHaveLength(1);
  });

  test('are looked up once for requests at the same time, and again for a later one', async () => {
    let lookups = 0;
    const addresses = new PublicAddresses([], async () => {
      lookups += 1;
      return [{ address: '1.1.1.1', family: 4 }];
    });
    await Promise.all([addresses.of(EXAMPLE), addresses.of(EXAMPLE)]);
    expect(lookups).toBe(1);
    await addresses.of(EXAMPLE);
    expect(lookups).toBe(2);
  });

  test('are looked up for at most two hosts at the same time', async () => {
    const answers: (() => void)[] = [];
    const addresses = new PublicAddresses(
      [],
      () => new Promise((resolve) => answers.push(() => resolve([{ address: '1.1.1.1', family: 4 }]))),
    );
    const found = ['a', 'b', 'c'].map((name) => addresses.of(new URL(`https://${name}.example/`)));
    expect(answers).toHaveLength(2);
    answers[0]?.();
    await found[0];
    expect(answers).toHaveLength(3);
    for (const answer of answers) answer();
    expect((await Promise.all(found)).flat()).toHaveLength(3);
  });
});
