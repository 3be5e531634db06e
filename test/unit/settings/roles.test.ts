import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFor, SETTING_ROLES, type ChildRole } from '../../../src/settings/roles.ts';
import { settingsSchema } from '../../../src/settings/schema.ts';

const ENVIRONMENT = {
  PATH: '/bin',
  LANG: 'C.UTF-8',
  HOME: '/home/du',
  NODE_OPTIONS: '--no-deprecation',
  NODE_AUTH_TOKEN: 'npm',
  GITHUB_TOKEN: 'ci',
  REDIS_URL: 'redis://:secret@redis',
  OPERATORS_TOKEN: 'sixteen letters!',
  TRUSTED_PROXIES: '10.0.0.1',
  AWS_SECRET_ACCESS_KEY: 'amazon',
  PICTURE_MAX_PIXELS: '1000',
  WORKERS: '2',
  LOG_LEVEL: 'debug',
};

describe('the environment of a child', () => {
  const namesFor = (role: ChildRole) => Object.keys(environmentFor(role, ENVIRONMENT)).sort();
  const system = ['DEFERRED_UPLOADS_ROLE', 'HOME', 'LANG', 'NODE_OPTIONS', 'PATH'];

  test('of an API process holds all but what only a worker needs', () => {
    const own = ['REDIS_URL', 'OPERATORS_TOKEN', 'TRUSTED_PROXIES', 'AWS_SECRET_ACCESS_KEY', 'LOG_LEVEL'];
    expect(namesFor('api')).toEqual([...system, ...own].sort());
  });

  test("of a worker holds no operators' token and nothing about clients", () => {
    const own = ['REDIS_URL', 'AWS_SECRET_ACCESS_KEY', 'PICTURE_MAX_PIXELS', 'LOG_LEVEL'];
    expect(namesFor('worker')).toEqual([...system, ...own].sort());
  });

  test('of an isolated process holds no secret at all', () => {
    expect(namesFor('isolated')).toEqual([...system, 'PICTURE_MAX_PIXELS', 'LOG_LEVEL'].sort());
  });

  test('of another program holds where programs lie and the language', () => {
    expect(namesFor('server')).toEqual(['LANG', 'PATH']);
  });
});

describe('the role of a setting', () => {
  /** `config.ts` says which member of Config each setting becomes; only members of one setting each are looked at. */
  const memberOf = new Map(
    [...readFileSync('src/settings/config.ts', 'utf8').matchAll(/^    (\w+): values\.([A-Z_]+)/gm)].map(
      ([, member = '', setting = '']) => [setting, member] as const,
    ),
  );
  const readsIn = (folders: readonly string[]) =>
    new Set(
      folders.flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts'))
          .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\bconfig\.(\w+)/g)])
          .map(([, member = '']) => member),
      ),
    );

  test('is known for every setting', () => {
    expect(Object.keys(SETTING_ROLES).sort()).toEqual(Object.keys(settingsSchema.shape).sort());
    expect(memberOf.size).toBeGreaterThan(30);
  });

  test.each<[role: ChildRole, folders: readonly string[]]>([
    ['api', ['src/server', 'src/storage', 'src/record', 'src/telemetry', 'src/kinds']],
    ['worker', ['workers', 'src/storage', 'src/record', 'src/telemetry']],
  ])('gives %s processes every setting that their code reads', (role, folders) => {
    const read = readsIn(folders);
    const missing = [...memberOf].filter(
      ([setting, member]) => read.has(member) && !SETTING_ROLES[setting as keyof typeof SETTING_ROLES].includes(role),
    );
    expect(missing).toEqual([]);
  });
});
