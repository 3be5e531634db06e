import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

/**
 * The storages that the current test file has used. A process runs one test file at a time.
 *
 * @type {Set<AsyncLocalStorage<unknown>>}
 */
const used = new Set();
/** @type {typeof AsyncLocalStorage.prototype.run} */
const run = Reflect.get(AsyncLocalStorage.prototype, 'run');

/**
 * @this {AsyncLocalStorage<unknown>}
 * @param {Parameters<typeof run>} args
 */
AsyncLocalStorage.prototype.run = function (...args) {
  used.add(this);
  return Reflect.apply(run, this, args);
};

/**
 * Jest's environment of Node, which also disables each `AsyncLocalStorage` after the test file that used it. Jest
 * itself makes one for each test file. On Node 20 every promise gets a property for each enabled storage, so promises
 * became slower with each test file that a process had run.
 */
export default class NodeEnvironment extends TestEnvironment {
  async teardown() {
    await super.teardown();
    for (const storage of used) storage.disable();
    used.clear();
  }
}
