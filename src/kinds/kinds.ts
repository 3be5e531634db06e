import type { Kind } from './kind.ts';
import { pictureKind } from './picture.ts';
import type { PictureOptions } from './picture-options.ts';

/** The part of the settings that kinds are made with: what a sender's options leave open. */
export interface KindSettings {
  /** Default `DEFAULT_PICTURE_OPTIONS`. */
  readonly pictureOptions?: PictureOptions;
}

/** Every kind of file that is taken. */
export interface Kinds {
  /** Every type that some processor takes, for words to people. */
  readonly types: readonly string[];
  /** Undefined for a type that no processor takes. */
  find(type: string): Kind<unknown> | undefined;
  /** Names of the derived files that an upload with these options will have; that it may have, where its type is null. */
  variantNames(type: string | null, options: unknown): ReadonlySet<string>;
}

/** One line a kind. The first that takes a type has it. */
export function createKinds({ pictureOptions }: KindSettings = {}): Kinds {
  const kinds: readonly Kind<unknown>[] = [pictureKind(pictureOptions)];
  return {
    types: kinds.flatMap((kind) => kind.types),
    find: (type) => kinds.find((kind) => kind.types.includes(type)),
    variantNames(type, options) {
      const possible = type === null ? kinds : kinds.filter((kind) => kind.types.includes(type));
      return new Set(possible.flatMap((kind) => namesIn(kind, options)));
    },
  };
}

function namesIn(kind: Kind<unknown>, options: unknown): readonly string[] {
  const parsed = kind.options.safeParse(options);
  return parsed.success ? kind.variantNames(parsed.data) : [];
}

/** Every type that some processor takes, whatever the settings. */
export function acceptedTypes(): readonly string[] {
  return createKinds().types;
}
