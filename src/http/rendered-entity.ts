import type { Context } from 'koa';
import { DirectEntity } from '../deferred/direct-entity.ts';
import { missingCommonHeaders } from './common-headers.ts';

/** A JSON document that is rendered once for all clients, and written with its head in one call. */
export class RenderedEntity extends DirectEntity<string> {
  readonly #head: Readonly<Record<string, string>>;
  readonly #json: string;

  constructor(document: unknown, headers: Readonly<Record<string, string>>) {
    const body = JSON.stringify(document);
    super({ body, headers: { ...headers, 'Content-Type': 'application/json; charset=utf-8' } });
    this.#json = body;
    this.#head = { 'Content-Length': String(Buffer.byteLength(body)), ...this.headers };
  }

  send(ctx: Context): void {
    // The headers are an object: middleware that replaces `writeHead`, such as `on-headers`, misreads a flat list.
    ctx.res.writeHead(this.status, { ...missingCommonHeaders(ctx), ...this.#head });
    ctx.res.end(ctx.method === 'HEAD' ? undefined : this.#json);
  }
}
