import { expect, jest, test } from '@jest/globals';
import { warnOfRoot } from '../../../src/telemetry/root-warning.ts';

test('one line is logged only if the process runs as root', () => {
  const warn = jest.fn();
  warnOfRoot({ warn }, 1000);
  expect(warn).not.toHaveBeenCalled();
  warnOfRoot({ warn }, 0);
  expect(warn.mock.calls).toEqual([[expect.any(Object), 'running as root']]);
});
