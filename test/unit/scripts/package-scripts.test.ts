import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

test.each(['start', 'api', 'worker'])(
  'npm run %s runs compiled code of the project, so that nothing is read from a folder that others can write to',
  (name) => {
    expect(scripts[name]).toMatch(/^([A-Z_]+=\d+ )*exec node dist\/\S+\.js$/);
    expect(scripts[`pre${name}`]).toBe('node scripts/setup.mjs --service');
  },
);
