import { isIP } from 'node:net';
import { z } from 'zod';
import { pictureOptionsSchema } from '../kinds/picture-options.ts';
import { parseHosts } from '../queue/redis-place.ts';

const DISJUNCTION = new Intl.ListFormat('en', { type: 'disjunction' });

/**
 * Returns a form for a whole number in decimal digits, so `1e9`, `0x10`, ` 5` and the empty string are rejected. It has
 * no default, so add `.optional()`.
 */
export function digits(least: number, most = Number.MAX_SAFE_INTEGER) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number in decimal digits')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));
}

/** Returns `digits` with a default. */
export function integer(byDefault: number, least: number, most?: number) {
  return digits(least, most).prefault(String(byDefault));
}

/** Returns a form that accepts one of these words. */
export function choice<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, `must be ${DISJUNCTION.format(words)}`);
}

/** Text of at least one character. */
export const text = z.string().min(1);

/** True for an address that a connection to Redis can use. */
export function isRedisUrl(url: string): boolean {
  if (url.startsWith('/')) return true;
  // The URL parser treats everything after a # as a fragment, so a # in a password would cut off the host.
  return /^(rediss?|unix):\/\/[^\s#]+$/.test(url) && URL.canParse(url) && hasRedisHost(new URL(url));
}

function hasRedisHost({ protocol, hostname }: URL): boolean {
  return protocol === 'unix:' || hostname !== '';
}

/** Returns a form for hosts with or without a port, separated by commas. */
export function hosts(defaultPort: number) {
  return z
    .string()
    .transform((value) => parseHosts(value, defaultPort))
    .refine((found) => found !== undefined, 'must be hosts such as redis-1:6379, separated by commas')
    .prefault('');
}

function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Texts, separated by commas. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Addresses and CIDR ranges, separated by commas. */
export const addressRanges = list
  .refine((parts) => parts.every(isAddressRange), 'must be addresses or ranges such as 10.0.0.0/8, separated by commas')
  .prefault('');

/** Names of file kinds, separated by commas. */
export const kindNames = list
  .refine((parts) => parts.every((part) => /^[a-z0-9-]+$/.test(part)), 'must be names of kinds, separated by commas')
  .prefault('');

/** The same JSON that a client sends in the field `options`. */
export const pictureOptions = z
  .string()
  .transform((value, context): unknown => {
    try {
      return JSON.parse(value);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(pictureOptionsSchema())
  .prefault('{}');

/** True for an origin as browsers send it: in lower case, without a path and without the default port. */
function isOrigin(value: string): boolean {
  return /^https?:[^*]+$/.test(value) && URL.canParse(value) && new URL(value).origin === value;
}

/** Origins of pages, or `*`. */
export const origins = list
  .refine(
    (parts) => parts.every(isOrigin) || parts.join() === '*',
    'must be * or origins such as https://app.example, separated by commas',
  )
  .prefault('');

/** True for a name or an address without a port. */
function isHostName(value: string): boolean {
  return /^[A-Za-z0-9._-]{1,253}$/.test(value) || isIP(value.replace(/^\[|\]$/g, '')) === 6;
}

/** Host names, or `*`. */
export const hostNames = list
  .refine(
    (parts) => parts.every(isHostName) || parts.join() === '*',
    'must be * or host names such as uploads.example, without ports, separated by commas',
  )
  .prefault('');
