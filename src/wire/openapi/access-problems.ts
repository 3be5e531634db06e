import { problemResponse } from './responses.ts';
import type { Operation, PathItem, Paths } from './shapes.ts';

/** Methods that change something. */
const UNSAFE = ['put', 'post', 'patch', 'delete'] as const;

const STATUS = { misdirected_host: '421', foreign_origin: '403', precondition_failed: '412' } as const;

/**
 * Adds 421 (wrong host) to every operation, and 403 (page of another site) and 412 (`If-Match`) to every operation that
 * changes something.
 */
export function withAccessProblems(paths: Paths): Paths {
  const entries = Object.entries(paths).map(([path, item]): [string, PathItem] => [path, withProblems(item)]);
  return Object.fromEntries(entries);
}

function withProblems(item: PathItem): PathItem {
  const misdirected = Object.fromEntries(
    Object.entries(item).map(([method, operation]) => [method, withResponse(operation, 'misdirected_host')]),
  );
  const guarded = UNSAFE.flatMap((method) => {
    const operation = item[method];
    if (operation === undefined) return [];
    const codes = ['misdirected_host', 'foreign_origin', 'precondition_failed'] as const;
    return [[method, codes.reduce(withResponse, operation)]];
  });
  return { ...misdirected, ...Object.fromEntries(guarded) };
}

function withResponse(operation: Operation, code: keyof typeof STATUS): Operation {
  const status = STATUS[code];
  if (status in operation.responses) return operation;
  return { ...operation, responses: { ...operation.responses, [status]: problemResponse([code]) } };
}
