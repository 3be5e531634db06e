import { parse } from 'node:querystring';
import type { Context } from 'koa';

/**
 * A parameter of the query: a list where it was given more than once, undefined where it was not. Koa's own
 * `ctx.query` keeps all that it has parsed for as long as the request lives, and a held one lives long.
 */
export function queryParameter(ctx: Context, name: string): string | string[] | undefined {
  return parse(ctx.querystring)[name];
}
