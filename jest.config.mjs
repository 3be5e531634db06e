/** Tests are ES modules in TypeScript, stripped of their types by swc: no module map, no build before a test. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  setupFiles: ['<rootDir>/test/helpers/one-realm.ts'],
  maxWorkers: 2,
  testTimeout: 40_000,
};
