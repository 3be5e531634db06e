import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { WORKER_ALLOCATOR } from '../../../scripts/allocator.ts';

test('npm run worker has the same allocator settings as a worker of npm start', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const settings = Object.entries(WORKER_ALLOCATOR).map(([name, value]) => `${name}=${value}`);
  expect(scripts['worker']).toBe(`${settings.join(' ')} exec node dist/workers/main.js`);
});
