import type { IncomingMessage, RequestListener } from 'node:http';
import type { Context, Middleware } from 'koa';
import { ABSOLUTE_TARGET } from './request-target.ts';

/*
 * Inside the service every path begins at its root. Here the mount path is removed from requests and added to answers,
 * so no other code needs it.
 */

/**
 * Serves `handle` below `mountPath`. The request may still have this path in its URL, or a framework or a proxy may
 * have removed it already. The page has relative links, so `mountPath` itself redirects to `mountPath/`.
 */
export function withoutMountPath(mountPath: string, handle: RequestListener): RequestListener {
  if (mountPath === '') return handle;
  return (request, response) => {
    const { origin, path } = targetOf(request);
    const inner = below(mountPath, path);
    const isPage = inner === '' || inner?.startsWith('?') === true;
    if (isPage && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(308, { Location: `${mountPath}/${inner}` }).end();
      return;
    }
    if (inner !== undefined) request.url = `${origin}${inner.startsWith('/') ? '' : '/'}${inner}`;
    handle(request, response);
  };
}

/** Returns the whole target. Express removes the path of a mounted handler from `url`, not from `originalUrl`. */
function targetOf(request: IncomingMessage): { origin: string; path: string } {
  const original = 'originalUrl' in request ? request.originalUrl : undefined;
  const url = typeof original === 'string' ? original : (request.url ?? '');
  const origin = ABSOLUTE_TARGET.exec(url)?.[0] ?? '';
  return { origin, path: url.slice(origin.length) };
}

/** Returns the rest of the path after the mount path. Undefined if the path is not below it. */
function below(mountPath: string, path: string): string | undefined {
  if (!path.startsWith(mountPath)) return undefined;
  const inner = path.slice(mountPath.length);
  return inner === '' || inner.startsWith('/') || inner.startsWith('?') ? inner : undefined;
}

/** Adds the mount path to `Location` and to the links of JSON documents. Put it above all other middleware. */
export function mountedAnswers(mountPath: string): Middleware {
  // This is no async function, because its frame would stay in memory while a response is held.
  return (ctx, next) => next().then(() => mountAnswer(ctx, mountPath));
}

function mountAnswer(ctx: Context, mountPath: string): void {
  if (ctx.respond === false) return;
  const location = ctx.res.getHeader('Location');
  if (typeof location === 'string' && location.startsWith('/')) ctx.set('Location', mountPath + location);
  const body: unknown = ctx.body;
  if (isPlainObject(body)) ctx.body = mountedDocument(mountPath, body);
}

/**
 * Returns the document with the mount path before each link: those in `links` of an Upload or a Progress, and the
 * addresses of derived files in its result. Nothing else is changed, because metadata may contain paths of its own.
 */
export function mountedDocument(mountPath: string, value: unknown): unknown {
  if (mountPath === '' || !isPlainObject(value)) return value;
  const { links, uploads, progress, result } = value;
  if (Array.isArray(uploads)) return { ...value, uploads: uploads.map((entry) => mountedDocument(mountPath, entry)) };
  if (!isPlainObject(links)) return value;
  return {
    ...value,
    links: Object.fromEntries(Object.entries(links).map(([name, path]) => [name, `${mountPath}${String(path)}`])),
    ...(progress === undefined ? {} : { progress: mountedDocument(mountPath, progress) }),
    ...(result === undefined ? {} : { result: mountedFiles(mountPath, `${String(links['variants'])}/`, result) }),
  };
}

/** Adds the mount path to texts that begin with `prefix`, in any member. Only addresses of derived files do. */
function mountedFiles(mountPath: string, prefix: string, value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(prefix) ? mountPath + value : value;
  if (Array.isArray(value)) return value.map((entry) => mountedFiles(mountPath, prefix, entry));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, mountedFiles(mountPath, prefix, member)]),
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) === null;
}
