import { types } from 'node:util';

/**
 * Jest runs tests in a realm with an `Error` of its own, so that what Node itself throws is no
 * `instanceof Error` there, as it is everywhere else. Imported for its effect: it is one again.
 */
const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    return (this === Error && types.isNativeError(value)) || Reflect.apply(ordinary, this, [value]);
  },
});
