/**
 * Stands in for the types of srvx, which @tus/server brings and whose own want those of every other runtime.
 * Of them it takes this one; `tsconfig.json` points here.
 */
export type ServerRequest = Request;
