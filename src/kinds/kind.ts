import type { z } from 'zod';

/**
 * What the intake must know of a processor without running it: which bytes it takes,
 * which options it understands, and which derived files it will make.
 * The work itself lies in a folder of the same name under `workers/`.
 */
export interface Kind<Options> {
  readonly name: string;
  /** Media types as sniffed from the bytes. */
  readonly types: readonly string[];
  /** Parses a client's options, filling in the defaults. */
  readonly options: z.ZodType<Options>;
  /** Names of the derived files that an upload with these options will have when completed. */
  variantNames(options: Options): readonly string[];
}
