import type { Sample } from '../kind.ts';
import { checkKind, checkProcessor } from './check-definition.ts';
import { PROCESSOR_INTERFACE } from './processor-interface.ts';

/** A schema of zod, valibot, arktype or any other library with the interface Standard Schema. It must not be async. */
export interface OptionsSchema<Options> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaOutcome<Options> | Promise<SchemaOutcome<Options>>;
    readonly types?: { readonly input: unknown; readonly output: Options } | undefined;
  };
}

/** The result of a check by a schema. */
export type SchemaOutcome<Options> =
  { readonly value: Options; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One mistake in the options of a client. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The options of a kind without a schema: it accepts only an empty object. */
export type NoOptions = Readonly<Record<string, never>>;

/** A kind of file that is added to the service. API processes use it, so it must need no heavy code. */
export interface KindDefinition<Options = NoOptions> {
  /** 1 to 32 characters: lower-case letters, digits and hyphens, a letter first. It is the `kind` of the results. */
  readonly name: string;
  /** Media types in lower case. No other kind may have one of them. */
  readonly types: readonly string[];
  /**
   * Returns one of `types` for bytes without a known signature, otherwise undefined. It must be quick: it runs in the
   * API process while the file is received.
   */
  sniff?(sample: Sample): string | undefined;
  /** Advice to senders of similar files that are not accepted, by media type. */
  readonly advice?: Readonly<Record<string, string>>;
  /** Checks the options of a client. The output must consist of JSON values. Default: the options must be empty. */
  readonly options?: OptionsSchema<Options>;
  /**
   * Names of the files that a completed upload with these options has. Without it any name may be published, and a
   * request for a file is held until the file exists or the upload is final.
   */
  fileNames?(options: Options): readonly string[];
  /** True if the files are pictures: a request that is not answered in time gets a placeholder, not an error. */
  readonly hasPlaceholders?: boolean;
}

/** A derived file, as a processor publishes it. */
export interface FileToPublish {
  /** Letters, digits, `_`, `-`, and an ending: `page-1.png`. It is the last part of the URL of the file. */
  readonly name: string;
  /** Media type. Browsers show PNG, JPEG, WebP, AVIF and GIF, and save files of other types. */
  readonly type: string;
}

/** A file that is served from now on. */
export interface PublishedFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Absolute path at the host of the service. */
  readonly url: string;
}

/** One upload, for the function that processes it. */
export interface FileContext<Options = NoOptions> {
  readonly upload: {
    readonly id: string;
    readonly publicId: string;
    readonly type: string;
    readonly sizeBytes: number;
  };
  /** The output of the kind's schema, after a round trip through JSON. */
  readonly options: Options;
  /** Path of the uploaded bytes on this machine. Do not write to it. */
  readonly inputPath: string;
  /** An empty folder for temporary files. It is removed after the run. */
  readonly temporaryFolder: string;
  /** Fires when the upload is cancelled or deleted, and at shutdown. The process is killed half a second later. */
  readonly signal: AbortSignal;
  /**
   * Reports how much is done, 0 to 1. Call it often: reports are throttled. `stage` is a word for the current step,
   * such as `pages`; it stays until another is given.
   */
  readonly report: (fraction: number, stage?: string) => void;
  /**
   * Stores a derived file. Resolves when it is durable and served. A generator of chunks is read while the file is
   * written, so it may be larger than the memory.
   */
  readonly publish: (file: FileToPublish, content: Uint8Array | AsyncIterable<Uint8Array>) => Promise<PublishedFile>;
  /**
   * Makes the error to throw for a file that no retry can fix. The upload fails with `file_damaged` (422), and its
   * sender receives `detail`: what is wrong, and what to do. Any other error is a fault of the service, and the file is
   * tried again.
   */
  readonly damaged: (detail: string) => Error;
}

/** Processes one upload and resolves with its result: a JSON object. Its member `kind` is set by the service. */
export type ProcessFile<Options = NoOptions> = (context: FileContext<Options>) => Promise<object>;

/** A kind and its code. */
export interface ProcessorDefinition<Options = NoOptions> {
  readonly kind: KindDefinition<Options>;
  /**
   * Loads the code, such as `() => import('./heavy.js')`. It is called only in the process that processes a file, once
   * for each file. Resolves with the function, or with a module that has it as its default export.
   */
  load: () => Promise<ProcessFile<Options> | { readonly default: ProcessFile<Options> }>;
  /**
   * Maximum size of all files together that one run publishes and writes to its temporary folder. A file that needs
   * more fails as `file_too_costly`. Only for a module in a process of its own. Default: 512 MiB.
   */
  readonly maxOutputBytes?: number;
}

/** A definition with the version of the interface that it was written for. */
export type Versioned<Definition> = Definition & { readonly interfaceVersion: number };

/** Checks a kind and marks it with the version of the interface. Throws a `TypeError` that lists all mistakes. */
export function defineKind<Options = NoOptions>(kind: KindDefinition<Options>): Versioned<KindDefinition<Options>> {
  throwMistakes('defineKind', checkKind(kind));
  return Object.freeze({ ...kind, interfaceVersion: PROCESSOR_INTERFACE });
}

/**
 * Checks a processor and marks it with the version of the interface. The result is the default export of a module that
 * is named in `PROCESSORS`, or a member of `processors` of `createWorker`. Throws a `TypeError` that lists all
 * mistakes.
 */
export function defineProcessor<Options = NoOptions>(
  processor: ProcessorDefinition<Options>,
): Versioned<ProcessorDefinition<Options>> {
  throwMistakes('defineProcessor', checkProcessor(processor));
  return Object.freeze({ ...processor, interfaceVersion: PROCESSOR_INTERFACE });
}

function throwMistakes(name: string, mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new TypeError(`${name}: ${mistakes.join('; ')}`);
}
