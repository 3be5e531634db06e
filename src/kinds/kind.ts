import type { z } from 'zod';

/** As many bytes from the start of a file as a kind may tell its type from; the intake waits for no fewer. */
export const SAMPLE_BYTES = 4100;

/** The beginning of a file, from which its type is told. */
export interface Sample {
  /** `SAMPLE_BYTES`, or fewer where the file has no more. */
  readonly head: Buffer;
  /** True where `head` is the whole file. */
  readonly isWhole: boolean;
  /** As the client sent them, unchecked. */
  readonly options: unknown;
}

/**
 * What the intake must know of a processor without running it: which bytes it takes,
 * which options it understands, and which derived files it will make.
 * The work itself lies in a folder of the same name under `workers/`.
 */
export interface Kind<Options> {
  readonly name: string;
  /** Media types as told from the bytes. */
  readonly types: readonly string[];
  /** One of `types` for bytes that have no known signature, such as text; undefined for all others. Never throws. */
  sniff?(sample: Sample): string | undefined;
  /** By media type: what to say to the sender of a file that is not taken, but is near to what is. */
  readonly advice?: Readonly<Record<string, string>>;
  /** Parses a client's options, filling in the defaults. */
  readonly options: z.ZodType<Options>;
  /** Names of the derived files that an upload with these options will have when completed. */
  variantNames(options: Options): readonly string[];
  /** True where they are pictures: who asks for one that does not come in time is shown a placeholder, not an error. */
  readonly hasPlaceholders?: boolean;
}
