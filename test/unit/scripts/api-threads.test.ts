import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { API_THREADS } from '../../../scripts/api-threads.ts';

test('npm run api has the threads of npm start, unless the operator sets another number', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const settings = Object.entries(API_THREADS).map(([name, value]) => `${name}=\${${name}:-${value}}`);
  expect(scripts['api']).toBe(`${settings.join(' ')} exec node dist/src/server/main.js`);
});
