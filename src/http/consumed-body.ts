import type { Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/**
 * Rejects with `body_consumed` (500) a request whose body other code has read, because it would wait for bytes that
 * never come.
 */
export function unconsumedBodies(): Middleware {
  return (ctx, next) => {
    if (!ctx.req.readableDidRead) return next();
    throw new ServiceError(
      'body_consumed',
      'A body parser of the application has read this body before the upload service. Mount the service before the ' +
        'body parser, or keep the parser off its path (docs/embed.md).',
    );
  };
}
