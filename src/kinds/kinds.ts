import type { Kind } from './kind.ts';
import { picture } from './picture.ts';

/** One line a kind. The first that takes a type has it. */
const KINDS: readonly Kind<unknown>[] = [picture];

/** Undefined for a type that no processor takes. */
export function kindOf(type: string): Kind<unknown> | undefined {
  return KINDS.find((kind) => kind.types.includes(type));
}

/** Every type that some processor takes, for words to people. */
export function acceptedTypes(): readonly string[] {
  return KINDS.flatMap((kind) => kind.types);
}

/** Every name that a derived file of any kind can have, before the type of an upload is known. */
export function possibleVariantNames(): ReadonlySet<string> {
  return new Set(KINDS.flatMap((kind) => kind.variantNames(kind.options.parse({}))));
}
