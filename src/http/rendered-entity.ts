import type { Context } from 'koa';
import { DirectEntity } from '../deferred/direct-entity.ts';
import { COMMON_HEADERS } from './common-headers.ts';
import { requestIdOf } from './request-scope.ts';

const COMMON_HEAD: readonly string[] = Object.entries(COMMON_HEADERS).flat();

/** A JSON document that is rendered once for all clients, and written with its head in one call. */
export class RenderedEntity extends DirectEntity<string> {
  /** Names and values in turn. */
  readonly #head: readonly string[];
  readonly #json: string;

  constructor(document: unknown, headers: Readonly<Record<string, string>>) {
    const body = JSON.stringify(document);
    super({ body, headers: { ...headers, 'Content-Type': 'application/json; charset=utf-8' } });
    this.#json = body;
    const head = [...COMMON_HEAD, 'Content-Length', String(Buffer.byteLength(body))];
    for (const [name, value] of Object.entries(this.headers)) head.push(name, value);
    this.#head = head;
  }

  send(ctx: Context): void {
    const id = requestIdOf(ctx);
    ctx.res.writeHead(this.status, id === undefined ? [...this.#head] : [...this.#head, 'X-Request-Id', id]);
    ctx.res.end(ctx.method === 'HEAD' ? undefined : this.#json);
  }
}
