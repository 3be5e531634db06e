import { describe, expect, test } from '@jest/globals';
import { isInStep } from '../../../scripts/setup/dependencies.mjs';

describe('isInStep', () => {
  const koa = { version: '3.3.0', integrity: 'sha512-a' };
  const native = { version: '1.0.0', integrity: 'sha512-b', optional: true };
  const lock = { packages: { '': { version: '0.1.0' }, 'node_modules/koa': koa, 'node_modules/native-win': native } };

  test('is true when all but packages for other platforms are there', () => {
    expect(isInStep(lock, { packages: { 'node_modules/koa': koa } })).toBe(true);
  });

  test('is false when a package is missing', () => {
    expect(isInStep(lock, { packages: { 'node_modules/native-win': native } })).toBe(false);
  });

  test('is false when a package is of another version or another archive', () => {
    expect(isInStep(lock, { packages: { 'node_modules/koa': { ...koa, version: '3.2.0' } } })).toBe(false);
    expect(isInStep(lock, { packages: { 'node_modules/koa': { ...koa, integrity: 'sha512-c' } } })).toBe(false);
  });

  test('is false when an optional package that is there is of another version', () => {
    const installed = {
      packages: { 'node_modules/koa': koa, 'node_modules/native-win': { ...native, version: '2.0.0' } },
    };
    expect(isInStep(lock, installed)).toBe(false);
  });
});
