import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { envExample } from '../../../scripts/env-example.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import { SECTIONS } from '../../../src/settings/sections.ts';

const content = readFileSync('.env.example', 'utf8');
const settings = new Map(SECTIONS.flatMap((section) => Object.entries(section.settings)));

describe('.env.example', () => {
  test('equals the output of npm run generate', () => {
    expect(content).toBe(envExample());
  });

  test('has the default of every setting', () => {
    const shown = parseEnv(content);
    expect(Object.keys(shown).sort()).toEqual([...settings.keys()].sort());
    expect(loadConfig(shown)).toEqual(loadConfig({}));
  });

  test('describes every setting in whole sentences', () => {
    const wrong = [...settings].filter(([, { description }]) => !/^.{20,}[.)]$/.test(description ?? ''));
    expect(wrong.map(([name]) => name)).toEqual([]);
  });
});

const firstWordOf = (name: string): string => name.replace(/_.*/, '');
const firstWords = new Set([...settings.keys()].map(firstWordOf));

describe('the documentation', () => {
  const documents = [
    'README.md',
    'SECURITY.md',
    ...readdirSync('docs')
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];

  test.each(documents)('%s names only settings that exist', (path) => {
    const named = readFileSync(path, 'utf8').match(/`[A-Z][A-Z0-9]*(_[A-Z0-9]+)+(?=[=`])/g) ?? [];
    const unknown = named
      .map((name) => name.slice(1))
      .filter((name) => firstWords.has(firstWordOf(name)) && !settings.has(name));
    expect([...new Set(unknown)]).toEqual([]);
  });
});
