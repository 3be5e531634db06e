import type { Kind, Sample } from './kind.ts';
import { pictureKind } from './picture.ts';
import type { PictureOptions } from './picture-options.ts';
import { table } from './table.ts';

/** Settings of the kinds: defaults and limits for the options of senders. */
interface KindSettings {
  /** Default `DEFAULT_PICTURE_OPTIONS`. */
  readonly pictureOptions?: PictureOptions;
  /** Maximum of `weighedPixels`. Default: no limit. */
  readonly pictureMaxOutputPixels?: number;
  /** `off`: HEIC is not accepted. Default `on`. */
  readonly pictureHeic?: 'on' | 'off';
}

/** All kinds of files that the service accepts. */
export interface Kinds {
  /** All accepted media types. */
  readonly types: readonly string[];
  /** Returns the kind of a type. Undefined if the type is not accepted. */
  find(type: string): Kind<unknown> | undefined;
  /** Returns the type of bytes without a known signature. Undefined if no kind knows them. */
  sniff(sample: Sample): string | undefined;
  /** Returns advice to the sender of a type that is not accepted. Undefined if there is none. */
  adviceOn(type: string): string | undefined;
  /** True if an upload with these options may have a file with this name. The type is null while it is not known. */
  mayHave(type: string | null, options: unknown, name: string): boolean;
  /** True if a placeholder can replace the file with this name until it exists. */
  hasPlaceholder(type: string | null, options: unknown, name: string): boolean;
}

/**
 * Makes the kinds of the service. To add one, write a file in this folder and add it to this list. `others` are the
 * kinds of the modules in `PROCESSORS`.
 */
export function createKinds(
  { pictureOptions, pictureMaxOutputPixels, pictureHeic }: KindSettings = {},
  others: readonly Kind<unknown>[] = [],
): Kinds {
  const pictures = pictureKind({
    ...(pictureOptions === undefined ? {} : { defaults: pictureOptions }),
    maxOutputPixels: pictureMaxOutputPixels,
    acceptsHeic: pictureHeic !== 'off',
  });
  return createKindTable([pictures, table, ...others]);
}

/** Makes a table of kinds. Throws if two kinds accept the same type. */
export function createKindTable(kinds: readonly Kind<unknown>[]): Kinds {
  const types = kinds.flatMap((kind) => kind.types);
  const doubled = types.find((type, index) => types.indexOf(type) !== index);
  if (doubled !== undefined) throw new Error(`${doubled} is accepted by two kinds`);
  const possible = (type: string | null) => (type === null ? kinds : kinds.filter((kind) => kind.types.includes(type)));
  return {
    types,
    find: (type) => kinds.find((kind) => kind.types.includes(type)),
    sniff: (sample) => firstOf(kinds, (kind) => kind.sniff?.(sample)),
    adviceOn: (type) =>
      firstOf(kinds, ({ advice }) => (advice !== undefined && Object.hasOwn(advice, type) ? advice[type] : undefined)),
    mayHave: (type, options, name) =>
      possible(type).some((kind) => kind.mayHave?.(name) ?? namesIn(kind, options).includes(name)),
    hasPlaceholder: (type, options, name) =>
      possible(type).some((kind) => kind.hasPlaceholders === true && namesIn(kind, options).includes(name)),
  };
}

function firstOf<Found>(
  kinds: readonly Kind<unknown>[],
  find: (kind: Kind<unknown>) => Found | undefined,
): Found | undefined {
  for (const kind of kinds) {
    const found = find(kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

function namesIn(kind: Kind<unknown>, options: unknown): readonly string[] {
  const parsed = kind.options.safeParse(options);
  return parsed.success ? kind.variantNames(parsed.data) : [];
}

/** Returns the media types that are accepted with the default settings. */
export function acceptedTypes(): readonly string[] {
  return createKinds().types;
}
