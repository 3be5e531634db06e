import { ServiceError } from '../errors.ts';

/** A version as a client gives it back; throws `bad_since` (400) for anything else. */
export function parseVersion(text: string | readonly string[]): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new ServiceError('bad_since', 'A version is a number in decimal digits, given once.');
}
