/* The entry point `deferred-uploads/deferred` of the package: held responses for any Koa application. */
export { AsyncContext, type AsyncContextOptions, type AsyncListener } from './async-context.ts';
export { deferredCall, type Callable, type DeferredCallOptions } from './callable.ts';
export { DeferredError, type DeferredErrorCode } from './deferred-error.ts';
export { DeferredManager } from './deferred-manager.ts';
export { DeferredResult, type DeferredResultOptions, type TimeoutResult } from './deferred-result.ts';
export { AS_IT_STANDS, Dispatch } from './dispatch.ts';
export { Executor, type ExecutorOptions, type OverflowPolicy } from './executor.ts';
export type { DeferredInterceptor, Held } from './interceptor.ts';
export type { DeferredManagerOptions } from './manager-options.ts';
export { deferredMiddleware } from './middleware.ts';
export type { Ending, Outcome } from './outcome.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export { ResponseEntity, type ResponseEntityOptions } from './response-entity.ts';
export { forbidDeferral, unfitForDeferral } from './unfit-for-deferral.ts';
