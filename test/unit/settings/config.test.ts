import '../../helpers/one-realm.ts';
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';
import { ConfigError, loadConfig } from '../../../src/settings/config.ts';

function mistakeIn(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('settings', () => {
  test('have defaults, which include the defaults of the contract', () => {
    expect(loadConfig({})).toMatchObject({
      port: 3000,
      deferredTimeoutMs: 25_000,
      deferredMaxTimeoutMs: 50_000,
      deferredMaxHeld: 20_000,
      deferredMaxHeldPerAddress: 0,
      trustedProxies: [],
      redis: undefined,
      logLevel: 'info',
    });
  });

  test('that are empty count as not set', () => {
    expect(loadConfig({ PORT: '', REDIS_URL: '', TRUSTED_PROXIES: '' })).toEqual(loadConfig({}));
  });

  test.each(['', '/', '//'])('treat %j as the root of the host in MOUNT_PATH', (path) => {
    expect(loadConfig({ MOUNT_PATH: path }).mountPath).toBe('');
  });

  test.each(['/media', 'media', '/media/', 'media//'])('normalise %j in MOUNT_PATH', (path) => {
    expect(loadConfig({ MOUNT_PATH: path }).mountPath).toBe('/media');
  });

  test.each(['/..', '/a/../b', '/a/./b', '/a//b', '/a*', '/(a|b)+', '/a?b', '/a#b', '/a%2fb', '/:id', 'https://a/b'])(
    'reject %j in MOUNT_PATH',
    (path) => {
      expect(mistakeIn({ MOUNT_PATH: path })).toMatch(/^wrong settings: MOUNT_PATH must be a path such as \/media/);
    },
  );

  test('of other programs are ignored', () => {
    expect(loadConfig({ PATH: '/bin', port: 'x', NODE_ENV: 'test' })).toEqual(loadConfig({}));
  });

  test.each(['1e9', '0x10', ' 5', '5 ', '-1', '+1', '1.5', 'abc', '٣', '99999999999999999'])(
    'reject a number written as %j',
    (text) => {
      expect(mistakeIn({ RETENTION_MS: text })).toMatch(/^wrong settings: RETENTION_MS /);
    },
  );

  test.each([
    ['PORT', '0', true],
    ['PORT', '65535', true],
    ['PORT', '65536', false],
    ['WORKER_CONCURRENCY', '0', false],
    ['WORKER_CONCURRENCY', '1', true],
    ['WORKER_KINDS', 'picture, table', true],
    ['WORKER_KINDS', 'picture;table', false],
    ['WORKER_KINDS', 'Picture', false],
    ['DEFERRED_MAX_HELD', '0', false],
    ['UPLOAD_MAX_BYTES', '0', false],
    ['QUEUE_PREFIX', 'a_B-9', true],
    ['QUEUE_PREFIX', 'a:b', false],
    ['QUEUE_PREFIX', '{a}', false],
    ['QUEUE_PREFIX', 'x'.repeat(65), false],
    ['REDIS_URL', 'redis://h:6379/1', true],
    ['REDIS_URL', 'rediss://h', true],
    ['REDIS_URL', 'redis://:pass#word@h:6379', false],
    ['REDIS_URL', 'redis://:pass%23word@h:6379', true],
    ['REDIS_URL', 'redis://', false],
    ['REDIS_URL', 'redis://h:66000', false],
    ['REDIS_URL', '/run/redis.sock', true],
    ['REDIS_URL', 'localhost', false],
    ['REDIS_URL', 'http://h', false],
    ['REDIS_SENTINELS', 's1:26379,s2', true],
    ['REDIS_SENTINELS', 'redis://s1', false],
    ['REDIS_CLUSTER_NODES', 'n1:x', false],
    ['EVENT_BUS', 'targeted', true],
    ['EVENT_BUS', 'kafka', false],
    ['STORAGE', 'file:/data', true],
    ['STORAGE', 'file:', false],
    ['STORAGE', '/data', false],
    ['LOG_LEVEL', 'debug', true],
    ['LOG_LEVEL', 'DEBUG', false],
    ['TRUSTED_PROXIES', '10.0.0.0/8, 2001:db8::/32,192.0.2.1', true],
    ['TRUSTED_PROXIES', '10.0.0.0/33', false],
    ['CORS_ORIGINS', '*', true],
    ['CORS_ORIGINS', 'https://app.example, http://localhost:8080', true],
    ['CORS_ORIGINS', '*,https://app.example', false],
    ['CORS_ORIGINS', 'https://app.example/', false],
    ['CORS_ORIGINS', 'https://app.example:443', false],
    ['CORS_ORIGINS', 'https://*.example', false],
    ['CORS_ORIGINS', 'HTTPS://App.example', false],
    ['CORS_ORIGINS', 'app.example', false],
    ['CORS_ORIGINS', 'null', false],
    ['CORS_ORIGINS', 'ftp://app.example', false],
    ['OPERATORS_TOKEN', 'x'.repeat(16), true],
    ['OPERATORS_TOKEN', 'x'.repeat(15), false],
    ['OPERATORS_TOKEN', 'x'.repeat(257), false],
    ['OPERATORS_TOKEN', 'with a space in it', false],
    ['OPERATORS_TOKEN', 'überlang-und-geheim', false],
    ['OPERATORS_TOKEN', 'a:b/c+d=e!f"g%h&i', true],
    ['TRUSTED_PROXIES', '::/129', false],
    ['TRUSTED_PROXIES', 'proxy.example', false],
    ['TRUSTED_PROXIES', '10.0.0.0/', false],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8', false],
  ])('accept %s=%s: %s', (name, value, isRight) => {
    const mistake = mistakeIn({ [name]: value });
    if (isRight) expect(mistake).toBe('');
    else expect(mistake).toContain(`wrong settings: ${name} `);
  });

  test.each([
    ['{', 'PICTURE_OPTIONS must be JSON'],
    ['7', 'PICTURE_OPTIONS must be an object with variants, keepMetadata and gps'],
    [
      '{"variants":[{"name":"a","longestSide":0}]}',
      'PICTURE_OPTIONS.variants.0.longestSide must be a whole number of pixels from 1 to 8192',
    ],
  ])('for pictures report mistakes like those of a client, such as in %s', (value, mistake) => {
    expect(mistakeIn({ PICTURE_OPTIONS: value })).toBe(`wrong settings: ${mistake}`);
    expect(loadConfig({ PICTURE_OPTIONS: '{"gps":true}' }).pictureOptions).toEqual({
      ...DEFAULT_PICTURE_OPTIONS,
      gps: true,
    });
  });

  test('for sentinels and clusters replace REDIS_URL', () => {
    const credentials = { username: 'u', password: 'p' };
    const given = { REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p' };
    expect(loadConfig({ REDIS_SENTINELS: 's1,s2:1', REDIS_SENTINEL_PASSWORD: 'q', ...given }).redis).toEqual({
      sentinels: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 1 },
      ],
      masterName: 'mymaster',
      sentinelPassword: 'q',
      ...credentials,
    });
    expect(loadConfig({ REDIS_CLUSTER_NODES: 'n1', ...given }).redis).toEqual({
      nodes: [{ host: 'n1', port: 6379 }],
      ...credentials,
    });
    expect(loadConfig({ REDIS_URL: 'redis://h' }).redis).toBe('redis://h');
  });

  test('do not print a secret that is invalid', () => {
    expect(mistakeIn({ OPERATORS_TOKEN: 'geheim' })).not.toContain('geheim');
  });

  test('parse TRUSTED_PROXIES as a list', () => {
    expect(loadConfig({ TRUSTED_PROXIES: ' 10.0.0.0/8 ,,192.0.2.1' }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '192.0.2.1',
    ]);
  });
});

describe('the message about wrong settings', () => {
  test('names every mistake in one line', () => {
    const mistake = mistakeIn({ PORT: 'x', LOG_LEVEL: 'loud', STORAGE: 'x' });
    for (const name of ['PORT', 'LOG_LEVEL', 'STORAGE']) expect(mistake).toContain(name);
    expect(mistake).not.toContain('\n');
  });

  test.each([
    [
      { DEFERRED_TIMEOUT_MS: '2', DEFERRED_MAX_TIMEOUT_MS: '1' },
      'DEFERRED_TIMEOUT_MS must not exceed DEFERRED_MAX_TIMEOUT_MS',
    ],
    [
      { REDIS_URL: '/run/redis.sock', REDIS_SENTINELS: 's1' },
      'only one of REDIS_URL, REDIS_SENTINELS and REDIS_CLUSTER_NODES may be set',
    ],
    [
      { REDIS_URL: '/run/redis.sock', REDIS_PASSWORD: 'x' },
      'if REDIS_URL is set, write the user name and the password into it instead of REDIS_USERNAME and REDIS_PASSWORD',
    ],
    [
      { UPLOAD_MAX_BYTES: '2', UPLOAD_MAX_REQUEST_BYTES: '1' },
      'UPLOAD_MAX_BYTES must not exceed UPLOAD_MAX_REQUEST_BYTES',
    ],
    [
      { HOST: '0.0.0.0' },
      'HOST is not a loopback address, so choose who may create uploads: ACCESS_FILE=<path> for holders of keys and ' +
        'tickets (docs/access.md), or ACCESS=open for everyone who reaches the service',
    ],
    [
      { HOST: '0.0.0.0', ACCESS: 'open', MANAGEMENT_PORT: '3000' },
      'MANAGEMENT_PORT must differ from PORT, because HOST=0.0.0.0 and MANAGEMENT_HOST=127.0.0.1 overlap',
    ],
    [{ MANAGEMENT_HOST: '::', MANAGEMENT_PORT: '3000' }, 'MANAGEMENT_PORT must differ from PORT'],
    [{ ACCESS: 'keys' }, 'ACCESS=keys needs ACCESS_FILE'],
    [{ ACCESS: 'open', ACCESS_FILE: 'access.json' }, 'ACCESS=open and ACCESS_FILE exclude each other'],
  ])('names settings that contradict each other: %j', (environment, mistake) => {
    expect(mistakeIn(environment)).toContain(mistake);
  });

  test('has the exit code of sysexits for a configuration error', () => {
    expect(ConfigError.exitCode).toBe(78);
  });
});

describe('defaults that depend on HOST and TRUSTED_PROXIES', () => {
  test.each(['127.0.0.1', 'localhost', '::1'])('serve only this machine if HOST is %s', (HOST) => {
    expect(loadConfig({ HOST })).toMatchObject({
      allowedHosts: [],
      deferredMaxHeldPerAddress: 0,
      createPerMinutePerAddress: 0,
      recordsMaxPerAddress: 0,
    });
  });

  test('limit each address behind a proxy of this machine, and serve no further names', () => {
    expect(loadConfig({ TRUSTED_PROXIES: '127.0.0.1', RECORDS_MAX: '995', RECORDS_MAX_PER_ADDRESS: '' })).toMatchObject(
      { allowedHosts: [], deferredMaxHeldPerAddress: 2000, createPerMinutePerAddress: 600, recordsMaxPerAddress: 100 },
    );
    expect(loadConfig({ TRUSTED_PROXIES: '127.0.0.1', RECORDS_MAX_PER_ADDRESS: '0' }).recordsMaxPerAddress).toBe(0);
  });

  test.each(['0.0.0.0', '192.0.2.7', 'du.example', '::'])(
    'allow every name and limit each address if HOST is %s, unless the settings say otherwise',
    (HOST) => {
      expect(loadConfig({ HOST, ACCESS: 'open', DEFERRED_MAX_HELD: '995' })).toMatchObject({
        allowedHosts: ['*'],
        deferredMaxHeldPerAddress: 100,
        createPerMinutePerAddress: 600,
        recordsMaxPerAddress: 20_000,
      });
      const set = { HOST, ACCESS: 'open', ALLOWED_HOSTS: 'du.example', DEFERRED_MAX_HELD_PER_ADDRESS: '0' };
      expect(loadConfig(set)).toMatchObject({ allowedHosts: ['du.example'], deferredMaxHeldPerAddress: 0 });
    },
  );

  test('open the service only on a loopback HOST without ACCESS_FILE', () => {
    expect(loadConfig({})).toMatchObject({ access: 'open', accessFile: undefined });
    expect(loadConfig({ ACCESS_FILE: 'access.json' })).toMatchObject({ access: 'keys', accessFile: 'access.json' });
    expect(loadConfig({ HOST: '0.0.0.0', ACCESS_FILE: 'access.json' })).toMatchObject({ access: 'keys' });
    expect(mistakeIn({ HOST: 'du.example' })).toContain('ACCESS=open');
  });

  test('allow every host name on a loopback HOST if keys protect the service', () => {
    expect(loadConfig({ ACCESS_FILE: 'access.json' }).allowedHosts).toEqual(['*']);
    expect(loadConfig({ ACCESS_FILE: 'access.json', ALLOWED_HOSTS: 'du.example' }).allowedHosts).toEqual([
      'du.example',
    ]);
  });

  test.each(['https://du.example', 'du.example:80', '*,du.example', 'a/b'])(
    'are not used for ALLOWED_HOSTS=%s, which is a mistake',
    (hosts) => {
      expect(mistakeIn({ ALLOWED_HOSTS: hosts })).toMatch(/^wrong settings: ALLOWED_HOSTS must be/);
    },
  );
});

describe('the management address', () => {
  test.each([
    [{}, undefined],
    [{ ACCESS_FILE: 'access.json' }, undefined],
    [{ HOST: '::1' }, undefined],
    [
      { HOST: '0.0.0.0', ACCESS: 'open' },
      { host: '127.0.0.1', port: 3001, allowedHosts: [] },
    ],
    [
      { HOST: '0.0.0.0', ACCESS: 'open', PORT: '0' },
      { host: '127.0.0.1', port: 0, allowedHosts: [] },
    ],
    [{ HOST: '0.0.0.0', ACCESS: 'open', MANAGEMENT_HOST: '0.0.0.0' }, undefined],
    [{ HOST: '0.0.0.0', ACCESS: 'open', MANAGEMENT_HOST: '0.0.0.0', MANAGEMENT_PORT: '3000' }, undefined],
    [{ MANAGEMENT_PORT: '9090' }, { host: '127.0.0.1', port: 9090, allowedHosts: [] }],
    [
      { PORT: '0', MANAGEMENT_PORT: '0' },
      { host: '127.0.0.1', port: 0, allowedHosts: [] },
    ],
    [{ MANAGEMENT_HOST: '0.0.0.0' }, { host: '0.0.0.0', port: 3001, allowedHosts: ['*'] }],
    [
      { MANAGEMENT_HOST: '0.0.0.0', ALLOWED_HOSTS: 'du.example' },
      { host: '0.0.0.0', port: 3001, allowedHosts: ['du.example'] },
    ],
  ])('with %j is %j', (environment, place) => {
    expect(loadConfig(environment).management).toEqual(place);
  });
});
