import type { Context } from 'koa';
import { ResponseEntity } from './response-entity.ts';

/**
 * An entity that writes the response itself, as soon as the result is set. Middleware above sees a response that is
 * already written. If the body of the request was not read to its end, it is answered like any other entity, because
 * middleware above may have to close the connection.
 */
export abstract class DirectEntity<B = unknown> extends ResponseEntity<B> {
  /** Writes head and body, and ends the response. Called once for each request that it answers. */
  abstract send(ctx: Context): void;
}
