/** Bytes from the start of a file that a kind may read to find the type. The intake waits for this number of bytes. */
export const SAMPLE_BYTES = 4100;

/** The beginning of a file, from which its type is determined. */
export interface Sample {
  /** `SAMPLE_BYTES`, or the whole file if it is shorter. */
  readonly head: Buffer;
  /** True if `head` is the whole file. */
  readonly isWhole: boolean;
  /** The options of the client, not checked yet. */
  readonly options: unknown;
}

/** A mistake in options, with its place. */
interface OptionsIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The outcome of a check of options. */
export type OptionsOutcome<Options> =
  | { readonly success: true; readonly data: Options; readonly error?: undefined }
  | {
      readonly success: false;
      readonly data?: undefined;
      readonly error: { readonly issues: readonly OptionsIssue[] };
    };

/** Checks options. Every schema of zod has this shape. */
export interface OptionsCheck<Options> {
  safeParse(options: unknown): OptionsOutcome<Options>;
}

/**
 * A kind of file: the types that a processor accepts, its options, and the names of the files that it makes.
 * The intake uses it without running the processor, which is in the folder of the same name under `workers/`.
 */
export interface Kind<Options> {
  readonly name: string;
  /** Accepted media types, as determined from the bytes. */
  readonly types: readonly string[];
  /**
   * Returns one of `types` for bytes without a known signature, such as text. Undefined for other files. Never throws.
   */
  sniff?(sample: Sample): string | undefined;
  /** Advice to senders of similar files that are not accepted, by media type. */
  readonly advice?: Readonly<Record<string, string>>;
  /** Parses the options of a client and fills in defaults. */
  readonly options: OptionsCheck<Options>;
  /** Names of the files that a completed upload with these options has. */
  variantNames(options: Options): readonly string[];
  /** Only if not all files are in `variantNames`: true if an upload may have a file with this name. */
  mayHave?(fileName: string): boolean;
  /**
   * True if the files are pictures: a request for a picture that is not ready in time gets a placeholder, not an error.
   */
  readonly hasPlaceholders?: boolean;
}
