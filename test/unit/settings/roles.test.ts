import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFor, withoutSettings } from '../../../src/settings/roles.ts';
import { PLAIN_SETTINGS, SECTIONS, type ChildRole } from '../../../src/settings/sections.ts';

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
  OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
  PICTURE_MAX_PIXELS: '1000',
  WORKERS: '2',
  LOG_LEVEL: 'debug',
};

describe('the environment of a child', () => {
  const namesFor = (role: ChildRole) => Object.keys(environmentFor(role, ENVIRONMENT)).sort();
  const services = ['AWS_SECRET_ACCESS_KEY', 'OTEL_EXPORTER_OTLP_HEADERS'];
  const system = ['DEFERRED_UPLOADS_ROLE', 'HOME', 'LANG', 'NODE_OPTIONS', 'PATH'];

  test('contains all but the settings of workers if it is an API process', () => {
    const own = ['REDIS_URL', 'OPERATORS_TOKEN', 'TRUSTED_PROXIES', 'LOG_LEVEL', ...services];
    expect(namesFor('api')).toEqual([...system, ...own].sort());
  });

  test("contains no operators' token and no settings for clients if it is a worker", () => {
    const own = ['REDIS_URL', 'PICTURE_MAX_PIXELS', 'LOG_LEVEL', ...services];
    expect(namesFor('worker')).toEqual([...system, ...own].sort());
  });

  test('contains no secret if it is an isolated process', () => {
    const own = ['PICTURE_MAX_PIXELS', 'LOG_LEVEL', 'OTEL_SDK_DISABLED'];
    expect(namesFor('isolated')).toEqual([...system, ...own].sort());
  });

  test('turns OpenTelemetry off in an isolated process, which does not get its variables', () => {
    expect(environmentFor('isolated', ENVIRONMENT)['OTEL_SDK_DISABLED']).toBe('true');
  });

  test('contains only PATH and the language if it is another program', () => {
    expect(namesFor('server')).toEqual(['LANG', 'PATH']);
  });
});

describe('the sections of the settings', () => {
  const memberOf = (setting: string) =>
    setting.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

  const readsIn = (folders: readonly string[]) =>
    new Set(
      folders.flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts'))
          .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\bconfig\.(\w+)/g)])
          .map(([, member = '']) => member),
      ),
    );

  test('contain every setting exactly once', () => {
    const names = SECTIONS.flatMap(({ settings }) => Object.keys(settings));
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(PLAIN_SETTINGS).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each<[role: ChildRole, folders: readonly string[]]>([
    ['api', ['src/server', 'src/storage', 'src/record', 'src/telemetry', 'src/kinds']],
    ['worker', ['workers', 'src/storage', 'src/record', 'src/telemetry']],
  ])('give %s processes every setting that their code reads', (role, folders) => {
    const read = readsIn(folders);
    const hidden = SECTIONS.filter(({ roles }) => !roles.includes(role)).flatMap(({ settings }) =>
      Object.keys(settings),
    );
    expect(read.size).toBeGreaterThan(5);
    expect(hidden.filter((setting) => read.has(memberOf(setting)))).toEqual([]);
  });
});

test('withoutSettings keeps only variables that are no settings of the service', () => {
  expect(Object.keys(withoutSettings(ENVIRONMENT))).toEqual([
    'PATH',
    'LANG',
    'HOME',
    'NODE_OPTIONS',
    'NODE_AUTH_TOKEN',
    'GITHUB_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ]);
});
