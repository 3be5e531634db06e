import { availableParallelism } from 'node:os';
import { calibratePatience } from './test/helpers/calibrate.mjs';

/** Every deadline of the tests is scaled by this; the processes that run the tests inherit it. */
const patience = calibratePatience();
if (process.env['TEST_PATIENCE'] === undefined) console.error(`patience: ${patience} (TEST_PATIENCE overrides it)`);
process.env['TEST_PATIENCE'] = String(patience);

/** Tests are ES modules in TypeScript, stripped of their types by swc: no module map. The processes that they start are
 * compiled first. */
export default {
  testEnvironment: '<rootDir>/test/helpers/environment.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/helpers/global-setup.mjs',
  globalTeardown: '<rootDir>/test/helpers/global-teardown.mjs',
  testSequencer: '<rootDir>/test/helpers/longest-first.mjs',
  resolver: '<rootDir>/test/helpers/bundled-packages.cjs',
  setupFiles: ['<rootDir>/test/helpers/one-realm.ts'],
  // Much of the time is spent waiting for processes to end and locks to expire. One core would be too slow for four.
  maxWorkers: availableParallelism() > 1 ? 4 : 3,
  // Each collection of garbage visits the whole heap, so a process with a large heap is replaced after its file.
  workerIdleMemoryLimit: '500MB',
  testTimeout: 60_000 * patience,
};
