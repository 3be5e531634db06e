import type { AllowedFile, Caller } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';
import { fileTooLarge } from './body.ts';

/** Returns `ticket_forbids` (403). */
export function ticketForbids(detail: string): ServiceError {
  return new ServiceError('ticket_forbids', detail);
}

/** The limit of a file's size, and the error of a larger file. */
interface ByteLimit {
  readonly maxBytes: number;
  tooLarge: () => ServiceError;
}

/** Returns the lower limit of the service and of the ticket. A larger file is `file_too_large` or `ticket_forbids`. */
export function byteLimit(maxFileBytes: number, allowed: AllowedFile | null | undefined): ByteLimit {
  const most = allowed?.maxFileBytes;
  if (most === undefined || most >= maxFileBytes)
    return { maxBytes: maxFileBytes, tooLarge: () => fileTooLarge(maxFileBytes) };
  return {
    maxBytes: most,
    tooLarge: () =>
      ticketForbids(`The file has more than ${most} bytes, the maximum that the ticket allows. Send a smaller file.`),
  };
}

/** Throws `ticket_forbids` (403) if the type that the bytes have is not in the ticket. */
export function requireAllowedType(type: string, allowed: AllowedFile | null): void {
  const { types } = allowed ?? {};
  if (types === undefined || isAllowedType(type, types)) return;
  throw ticketForbids(`This file is ${type}. Send one of the types that the ticket allows: ${types.join(', ')}.`);
}

const ANY_TYPE = '*/*';

/** True if a ticket with these types allows a type. Undefined types allow all. */
export function isAllowedType(type: string, allowed: readonly string[] | undefined): boolean {
  return allowed === undefined || allowed.some((pattern) => covers(pattern, type));
}

function covers(pattern: string, type: string): boolean {
  if (pattern === ANY_TYPE) return true;
  return pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

/** Programs send these types for files that they do not know. */
const VAGUE_TYPES: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'binary/octet-stream',
  'text/plain',
]);

/**
 * Throws `ticket_forbids` (403) if the headers show that the type is not in the ticket. The type that a client names is
 * only a hint: programs name the same format differently, and a table is `text/csv` to one of them and
 * `application/vnd.ms-excel` to another. So a file is rejected only if the ticket has no type of the same group.
 */
export function requireAllowedHint(named: string | undefined, allowed: AllowedFile | undefined): void {
  const type = (named ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const { types } = allowed ?? {};
  if (types === undefined || !/^[a-z]+\/./.test(type) || VAGUE_TYPES.has(type)) return;
  if (!types.some((pattern) => pattern === ANY_TYPE || groupOf(pattern) === groupOf(type)))
    requireAllowedType(type, { ...NO_LIMITS, types });
}

const NO_LIMITS: AllowedFile = { maxFileBytes: undefined, types: undefined, preset: undefined };

/** Returns the group of a type. Text and the formats of applications are one group. */
function groupOf(type: string): string {
  const [group = ''] = type.split('/');
  return group === 'text' ? 'application' : group;
}

/**
 * Returns the options of a caller's files. Throws `ticket_forbids` (403) if the ticket fixes the options and the client
 * sent some.
 * @param sent undefined if the client sent none.
 */
export function optionsFor({ ticket }: Pick<Caller, 'ticket'>, sent: unknown): unknown {
  if (ticket?.preset === undefined) return sent ?? {};
  if (sent !== undefined) throw ticketForbids('The ticket fixes the options. Send the file without options.');
  return ticket.options;
}
