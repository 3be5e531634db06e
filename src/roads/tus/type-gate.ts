import type { Kinds } from '../../kinds/kinds.ts';
import type { FileKind } from '../../record/open-record.ts';
import { acceptFile } from '../../intake/receive.ts';
import { SNIFF_BYTES } from '../../intake/sniff.ts';

/** What a gate is opened with. */
export interface GateSettings {
  kinds: Kinds;
  /** What is known already, from an earlier request. */
  known: FileKind | undefined;
  /** The file's first bytes, as far as they were stored before. */
  head: Buffer;
  /** As the client sent them. */
  options: unknown;
}

/** Tells the type of a file as soon as enough of its first bytes have passed, over however many requests. */
export class TypeGate {
  readonly #kinds: Kinds;
  readonly #options: unknown;
  #head: Buffer[];
  #headBytes: number;
  #found: FileKind | undefined;

  constructor({ kinds, known, head, options }: GateSettings) {
    this.#kinds = kinds;
    this.#found = known;
    this.#options = options;
    this.#head = [head];
    this.#headBytes = head.length;
  }

  /** Undefined until the type is told. */
  get found(): FileKind | undefined {
    return this.#found;
  }

  /** Throws `unsupported_media_type` (415) or `bad_options` (400). */
  async pass(chunk: Buffer): Promise<void> {
    if (this.#found !== undefined) return;
    this.#head.push(chunk);
    this.#headBytes += chunk.length;
    if (this.#headBytes < SNIFF_BYTES) return;
    this.#found = await acceptFile(this.#kinds, Buffer.concat(this.#head), this.#options);
    this.#head = [];
  }
}
