import { types } from 'node:util';

/**
 * Jest runs tests in a realm with an `Error` of its own, so an error that Node throws is not `instanceof Error` there.
 * Import this module for its effect: such errors are `instanceof Error` again.
 */
const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    return (this === Error && types.isNativeError(value)) || Reflect.apply(ordinary, this, [value]);
  },
});
