import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { uploadRef } from '../../../src/telemetry/upload-ref.ts';

test('the name of an upload in logs is what the command of the documentation prints', () => {
  const id = '0f3e5f9c-1f0c-4a52-9d07-3c7a4f2f4d10';
  const printed = execFileSync('sh', ['-c', `printf %s "${id}" | sha256sum | cut -c1-12`], { encoding: 'utf8' });
  expect(uploadRef(id)).toBe(printed.trim());
});
