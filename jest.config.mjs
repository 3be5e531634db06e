/** Tests are ES modules in TypeScript, stripped of their types by swc: no module map, no build before a test. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  setupFiles: ['<rootDir>/test/helpers/one-realm.ts'],
  // One more than a small machine has cores: much of the time goes by waiting for processes to end and for locks to run out.
  maxWorkers: 3,
  testTimeout: 40_000,
};
