/**
 * Replaces the types of srvx, a dependency of @tus/server. They need the types of every JavaScript runtime:
 * https://github.com/h3js/srvx/pull/285. @tus/server uses only this type. `tsconfig.json` maps the package to this
 * file.
 */
export type ServerRequest = Request;
