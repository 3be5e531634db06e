import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { GROWING_FLAG } from '../../../workers/rare-collections.ts';

describe('the flag for rarer garbage collections', () => {
  test('is known to the V8 of this Node', () => {
    const script = `require('node:v8').setFlagsFromString('${GROWING_FLAG}')`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});
