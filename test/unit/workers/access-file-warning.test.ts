import { expect, test } from '@jest/globals';
import { accessFileWarning } from '../../../workers/access-file-warning.ts';

function warningsOf(mode: 'open' | 'keys', tenants: readonly (string | null)[]): unknown[] {
  const warnings: unknown[] = [];
  const warn = accessFileWarning({ mode }, { warn: (...line: unknown[]) => void warnings.push(line) });
  for (const tenant of tenants) warn({ tenant });
  return warnings;
}

test('a worker without an access file warns once that uploads have tenants', () => {
  expect(warningsOf('open', [null])).toEqual([]);
  expect(warningsOf('keys', ['acme'])).toEqual([]);
  expect(warningsOf('open', [null, 'acme', 'other'])).toEqual([
    [expect.objectContaining({ tenant: 'acme' }), 'no access file, but uploads of tenants'],
  ]);
});
