import type { Kind, Sample } from './kind.ts';
import { pictureKind } from './picture.ts';
import type { PictureOptions } from './picture-options.ts';
import { table } from './table.ts';

/** The part of the settings that kinds are made with: what a sender's options leave open. */
export interface KindSettings {
  /** Default `DEFAULT_PICTURE_OPTIONS`. */
  readonly pictureOptions?: PictureOptions;
  /** By what their formats cost, see `weighedPixels`. Default: no bound. */
  readonly pictureMaxOutputPixels?: number;
}

/** Every kind of file that is taken. */
export interface Kinds {
  /** Every type that some processor takes, for words to people. */
  readonly types: readonly string[];
  /** Undefined for a type that no processor takes. */
  find(type: string): Kind<unknown> | undefined;
  /** The type that the first kind sees in bytes without a known signature; undefined where none does. */
  sniff(sample: Sample): string | undefined;
  /** What to say to the sender of a type that is not taken; undefined where no kind is near it. */
  adviceOn(type: string): string | undefined;
  /** Names of the derived files that an upload with these options will have; that it may have, where its type is null. */
  variantNames(type: string | null, options: unknown): ReadonlySet<string>;
  /** True for the name of such a file that a placeholder may stand in for. */
  hasPlaceholder(type: string | null, options: unknown, name: string): boolean;
}

/** Every kind of the service: a further one is a file beside this and a name in this list. */
export function createKinds({ pictureOptions, pictureMaxOutputPixels }: KindSettings = {}): Kinds {
  return createKindTable([pictureKind(pictureOptions, pictureMaxOutputPixels), table]);
}

/** Throws where two kinds take the same type. */
export function createKindTable(kinds: readonly Kind<unknown>[]): Kinds {
  const types = kinds.flatMap((kind) => kind.types);
  const doubled = types.find((type, index) => types.indexOf(type) !== index);
  if (doubled !== undefined) throw new Error(`${doubled} is taken by two kinds`);
  const possible = (type: string | null) => (type === null ? kinds : kinds.filter((kind) => kind.types.includes(type)));
  return {
    types,
    find: (type) => kinds.find((kind) => kind.types.includes(type)),
    sniff: (sample) => firstOf(kinds, (kind) => kind.sniff?.(sample)),
    adviceOn: (type) =>
      firstOf(kinds, ({ advice }) => (advice !== undefined && Object.hasOwn(advice, type) ? advice[type] : undefined)),
    variantNames: (type, options) => new Set(possible(type).flatMap((kind) => namesIn(kind, options))),
    hasPlaceholder: (type, options, name) =>
      possible(type).some((kind) => kind.hasPlaceholders === true && namesIn(kind, options).includes(name)),
  };
}

function firstOf<Found>(
  kinds: readonly Kind<unknown>[],
  look: (kind: Kind<unknown>) => Found | undefined,
): Found | undefined {
  for (const kind of kinds) {
    const found = look(kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

function namesIn(kind: Kind<unknown>, options: unknown): readonly string[] {
  const parsed = kind.options.safeParse(options);
  return parsed.success ? kind.variantNames(parsed.data) : [];
}

/** Every type that some processor takes, whatever the settings. */
export function acceptedTypes(): readonly string[] {
  return createKinds().types;
}
