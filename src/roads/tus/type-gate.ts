import type { AllowedFile } from '../../access/caller.ts';
import type { Kinds } from '../../kinds/kinds.ts';
import type { FileKind } from '../../record/open-record.ts';
import { acceptFile } from '../../intake/receive.ts';
import { SNIFF_BYTES } from '../../intake/sniff.ts';

interface GateSettings {
  kinds: Kinds;
  /** The type and options, if an earlier request has determined them. */
  known: FileKind | undefined;
  /** The first bytes of the file that are already stored. */
  head: Buffer;
  /** The options that the client sent. */
  options: unknown;
  /** The limits of the ticket that created the upload. */
  allowed: AllowedFile | null;
}

/** Determines the type of a file as soon as enough of its first bytes have arrived, in one request or several. */
export class TypeGate {
  readonly #kinds: Kinds;
  readonly #options: unknown;
  readonly #allowed: AllowedFile | null;
  #head: Buffer[];
  #headBytes: number;
  #found: FileKind | undefined;

  constructor({ kinds, known, head, options, allowed }: GateSettings) {
    this.#kinds = kinds;
    this.#found = known;
    this.#options = options;
    this.#allowed = allowed;
    this.#head = [head];
    this.#headBytes = head.length;
  }

  /** Undefined until the type is determined. */
  get found(): FileKind | undefined {
    return this.#found;
  }

  /** Throws `unsupported_media_type` (415), `bad_options` (400) or `ticket_forbids` (403). */
  async pass(chunk: Buffer): Promise<void> {
    if (this.#found !== undefined) return;
    this.#head.push(chunk);
    this.#headBytes += chunk.length;
    if (this.#headBytes < SNIFF_BYTES) return;
    this.#found = await acceptFile(this.#kinds, Buffer.concat(this.#head), this.#options, this.#allowed);
    this.#head = [];
  }
}
