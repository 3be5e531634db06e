import type { Variant } from '../wire/documents.ts';

/** Leaves out variants as large as an earlier one. A small picture has several, because it is never enlarged. */
export function distinctSizes<T extends Pick<Variant, 'width' | 'height'>>(variants: readonly T[]): T[] {
  return variants.filter(
    ({ width, height }, index) =>
      variants.findIndex((other) => other.width === width && other.height === height) === index,
  );
}
