import { describe, expect, test } from '@jest/globals';
import {
  isRecentEnough,
  parseServerVersion,
  parseSimulatedInstall,
  redisAdvice,
  redisSources,
} from '../../../scripts/setup/redis-sources.mjs';

describe('redisSources', () => {
  test('returns a private copy if the system has Debian packages, with and without root rights', () => {
    expect(redisSources({ managers: ['apt-get', 'dpkg'], mayInstall: false })).toEqual(['private-copy']);
    expect(redisSources({ managers: ['apt-get', 'dpkg'], mayInstall: true })).toEqual([
      'private-copy',
      'system-package',
    ]);
  });

  test('returns other package managers only with the rights that they need', () => {
    expect(redisSources({ managers: ['apk'], mayInstall: false })).toEqual([]);
    expect(redisSources({ managers: ['apk'], mayInstall: true })).toEqual(['system-package']);
    expect(redisSources({ managers: ['dnf'], mayInstall: true })).toEqual(['system-package']);
    expect(redisSources({ managers: ['brew'], mayInstall: false })).toEqual(['system-package']);
  });

  test('is empty on a machine without a package manager', () => {
    expect(redisSources({ managers: [], mayInstall: true })).toEqual([]);
    expect(redisSources({ managers: ['dpkg'], mayInstall: true })).toEqual([]);
  });
});

describe('redisAdvice', () => {
  test.each([
    ['apt-get', 'sudo apt-get install redis-tools'],
    ['apk', 'apk add redis'],
    ['dnf', 'sudo dnf install valkey'],
    ['brew', 'brew install redis'],
  ] as const)('contains the command for %s', (manager, line) => {
    const advice = redisAdvice({ managers: ['dpkg', manager], mayInstall: false });
    expect(advice).toContain(line);
    expect(advice).not.toContain('\n');
  });

  test('names the required program if there is no known package manager', () => {
    expect(redisAdvice({ managers: [], mayInstall: false })).toContain('install redis-server 6.2 or newer');
  });
});

describe('parseServerVersion', () => {
  test.each([
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '7.0.15'],
    ['Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '8.1.3'],
    ['warning: something\nRedis server v=6.2.14 sha=00000000:0', '6.2.14'],
  ])('returns the version of %s', (output, version) => {
    expect(parseServerVersion(output)).toBe(version);
  });

  test.each(['', 'redis-cli 7.0.15', 'error while loading shared libraries: liblzf.so.1'])(
    'returns undefined for %j',
    (output) => {
      expect(parseServerVersion(output)).toBeUndefined();
    },
  );
});

test.each([
  ['5.0.14', false],
  ['6.0.16', false],
  ['6.2.0', true],
  ['7.0.15', true],
  ['10.0.0', true],
])('isRecentEnough(%s) is %s', (version, expected) => {
  expect(isRecentEnough(version)).toBe(expected);
});

test('parseSimulatedInstall returns the packages to add', () => {
  const output = [
    'Reading package lists...',
    'The following NEW packages will be installed:',
    'Inst liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])',
    'Inst redis-tools (5:7.0.15-1 Debian:12.15/oldstable [amd64])',
    'Conf liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])',
  ].join('\n');
  expect(parseSimulatedInstall(output)).toEqual(['liblzf1', 'redis-tools']);
});
