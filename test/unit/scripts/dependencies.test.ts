import { describe, expect, test } from '@jest/globals';
import { hasDevelopmentPackages, isInStep } from '../../../scripts/setup/dependencies.mjs';

const KOA = { version: '3.3.0', integrity: 'sha512-a' };
const LINUX = { os: ['linux'], cpu: ['x64'], libc: ['glibc'], optional: true };
const SHARP = { version: '1.0.0', integrity: 'sha512-b', ...LINUX };
const WASM = { version: '1.0.0', integrity: 'sha512-c', cpu: ['wasm32'], optional: true };
const JEST = { version: '30.0.0', integrity: 'sha512-d', dev: true };
const LOCK = {
  packages: { '': { version: '0.1.0' }, 'node_modules/koa': KOA, 'node_modules/sharp': SHARP, 'node_modules/w': WASM },
};
const HERE = { development: true, platform: { os: 'linux', cpu: 'x64', libc: 'glibc' } };

describe('isInStep', () => {
  test('is true if only packages for other platforms are missing', () => {
    const installed = { packages: { 'node_modules/koa': KOA, 'node_modules/sharp': SHARP } };
    expect(isInStep(LOCK, installed, HERE)).toBe(true);
  });

  test('is false if a package is missing', () => {
    expect(isInStep(LOCK, { packages: { 'node_modules/sharp': SHARP } }, HERE)).toBe(false);
  });

  test('is false if the package with native code for this platform is missing', () => {
    const fromElsewhere = { packages: { 'node_modules/koa': KOA } };
    expect(isInStep(LOCK, fromElsewhere, HERE)).toBe(false);
    for (const other of [{ os: 'darwin' }, { cpu: 'arm64' }, { libc: 'musl' }]) {
      const platform = { ...HERE.platform, ...other };
      expect(isInStep(LOCK, fromElsewhere, { ...HERE, platform })).toBe(true);
    }
  });

  test('is false if a package has another version or archive', () => {
    const withKoa = (koa: object) => ({
      packages: { 'node_modules/koa': { ...KOA, ...koa }, 'node_modules/sharp': SHARP },
    });
    expect(isInStep(LOCK, withKoa({ version: '3.2.0' }), HERE)).toBe(false);
    expect(isInStep(LOCK, withKoa({ integrity: 'sha512-e' }), HERE)).toBe(false);
  });

  test('is false if an installed optional package has another version', () => {
    const packages = {
      'node_modules/koa': KOA,
      'node_modules/sharp': SHARP,
      'node_modules/w': { ...WASM, version: '2.0.0' },
    };
    expect(isInStep(LOCK, { packages }, HERE)).toBe(false);
  });

  test('requires the development packages only if they are needed', () => {
    const lock = { packages: { 'node_modules/koa': KOA, 'node_modules/jest': JEST } };
    const production = { packages: { 'node_modules/koa': KOA } };
    expect(isInStep(lock, production, HERE)).toBe(false);
    expect(isInStep(lock, production, { ...HERE, development: false })).toBe(true);
    expect(isInStep(lock, { packages: {} }, { ...HERE, development: false })).toBe(false);
  });
});

describe('hasDevelopmentPackages', () => {
  test('is true only if a package of a developer is installed, so that a start keeps it', () => {
    expect(hasDevelopmentPackages({ packages: { 'node_modules/koa': KOA, 'node_modules/jest': JEST } })).toBe(true);
    expect(hasDevelopmentPackages({ packages: { 'node_modules/koa': KOA } })).toBe(false);
    expect(hasDevelopmentPackages(undefined)).toBe(false);
  });
});
