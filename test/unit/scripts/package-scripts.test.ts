import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

test.each(['start', 'api', 'worker'])(
  'npm run %s runs only compiled code of the project, which no other user can write',
  (name) => {
    expect(scripts[name]).toMatch(/^([A-Z_]+=(\d+|\$\{[A-Z_]+:-\d+\}) )*exec node dist\/\S+\.js$/);
    expect(scripts[`pre${name}`]).toBe('node scripts/setup.mjs --service');
  },
);
