import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { WORKER_ALLOCATOR } from '../../../scripts/allocator.ts';

test('a worker that runs alone is told of its allocator what npm start tells it', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const settings = Object.entries(WORKER_ALLOCATOR).map(([name, value]) => `${name}=${value}`);
  expect(scripts['worker']).toBe(`${settings.join(' ')} exec node dist/workers/main.js`);
});
