import { UUIDS } from './upload-ref.ts';

/** Texts besides upload ids that give rights: API keys, tickets and other JWTs, secrets of webhooks. */
const SECRETS = /\bdu_[a-z0-9-]{1,64}_[A-Za-z0-9_-]{43}|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bwhsec_[A-Za-z0-9+/=]+/g;

/** Deeper levels of a value are left out. No useful error has more. */
const MAX_LEVELS = 4;

/** Replaces every upload id in a text with `:id`, and every key, ticket and secret with `:secret`. */
export function withoutSecrets(text: string): string {
  return text.replace(UUIDS, ':id').replace(SECRETS, ':secret');
}

/**
 * Returns a copy of a value for the log: all texts are without secrets, also those of nested objects and arrays. Other
 * objects, such as buffers, are replaced by the name of their type.
 */
export function redacted(value: unknown, levels = MAX_LEVELS): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value !== 'object' || value === null) return value;
  const isPlain = Array.isArray(value) || isRecord(value);
  if (!isPlain || levels === 0) return Object.prototype.toString.call(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redacted(item, levels - 1)]));
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
