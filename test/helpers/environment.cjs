const { AsyncLocalStorage } = require('node:async_hooks');
const { TestEnvironment } = require('jest-environment-node');
const { releaseModules } = require('./compiled-code.cjs');

const storages = new Set();

for (const method of ['run', 'enterWith']) {
  const ordinary = AsyncLocalStorage.prototype[method];
  AsyncLocalStorage.prototype[method] = function (...args) {
    storages.add(this);
    return Reflect.apply(ordinary, this, args);
  };
}

/** Jest's environment for Node, which leaves less behind for the next test file of the process. */
module.exports = class extends TestEnvironment {
  async teardown() {
    await super.teardown();
    releaseModules();
    // Jest opens a storage for each test file. Node calls each enabled storage for each new promise.
    for (const storage of storages) storage.disable();
    storages.clear();
  }
};
