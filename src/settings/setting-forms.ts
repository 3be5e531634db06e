import { isIP } from 'node:net';
import { z } from 'zod';
import { pictureOptionsSchema } from '../kinds/picture-options.ts';
import { parseHosts } from '../queue/redis-place.ts';

/** Decimal digits only, so that `1e9`, `0x10`, ` 5` and the empty string are mistakes, not numbers. */
export function integer(defaultValue: number, least: number, most = Number.MAX_SAFE_INTEGER) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number in decimal digits')
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`))
    .default(defaultValue);
}

/** As `integer`, but undefined if it is not set: the default depends on other settings. */
export function derivedInteger(least: number, most = Number.MAX_SAFE_INTEGER) {
  return integer(least, least, most).removeDefault().optional();
}

/** What a connection can be made of. */
export function isRedisUrl(text: string): boolean {
  if (text.startsWith('/')) return true;
  // What follows a # would be dropped silently, with the host if it stands in a password.
  return /^(rediss?|unix):\/\/[^\s#]+$/.test(text) && URL.canParse(text) && hasRedisHost(new URL(text));
}

function hasRedisHost({ protocol, hostname }: URL): boolean {
  return protocol === 'unix:' || hostname !== '';
}

/** Hosts with or without a port, separated by commas; none by default. */
export function hosts(defaultPort: number) {
  return z
    .string()
    .transform((text) => parseHosts(text, defaultPort))
    .refine((found) => found !== undefined, 'must be hosts such as redis-1:6379, separated by commas')
    .default([]);
}

function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Addresses and CIDR ranges, separated by commas; none by default. */
export const addressRanges = list
  .refine((parts) => parts.every(isAddressRange), 'must be addresses or ranges such as 10.0.0.0/8, separated by commas')
  .default([]);

/** JSON as senders write it, so that there is one grammar for what they ask and what they get without asking. */
export const pictureOptions = z
  .string()
  .default('{}')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(pictureOptionsSchema());

/** As browsers send it: nothing behind the port, no default port, and in lower case. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Origins of pages, or `*`; none by default. */
export const origins = list
  .refine(
    (parts) => parts.every(isOrigin) || parts.join() === '*',
    'must be * or origins such as https://app.example, separated by commas',
  )
  .default([]);

/** A name or an address without a port. */
function isHostName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,253}$/.test(text) || isIP(text.replace(/^\[|\]$/g, '')) === 6;
}

/** Host names, or `*`; none by default. */
export const hostNames = list
  .refine(
    (parts) => parts.every(isHostName) || parts.join() === '*',
    'must be * or host names such as uploads.example, without ports, separated by commas',
  )
  .default([]);

/** A bucket's name is a part of host names; a prefix has the segments of our keys. */
export const STORAGE_FORM = /^(file:.+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/(?!\.+(\/|$))[A-Za-z0-9._-]+)*\/?)$/;
