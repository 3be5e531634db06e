import type { DerivedFile, Variant } from '../../src/wire/documents.ts';
import type { NewFile } from '../processor.ts';
import type { Publisher } from '../publisher.ts';
import type { FromIsolated, ToIsolated } from './messages.ts';
import type { PulledChunk } from './pull-chunks.ts';

/** The messages of the worker that concern publishing. */
type Answer = Extract<ToIsolated, { type: 'published' | 'next' }>;

/** A file that is being sent to the worker. */
interface Publication {
  resolve: (file: Variant | DerivedFile | undefined) => void;
  /** Undefined for a file that was sent in a single message. */
  chunks?: AsyncIterator<Buffer>;
  /** The error that the producer of the chunks has thrown. */
  fault?: { error: unknown };
}

/**
 * Publishes files through the worker that started this process. The worker requests the chunks of a file one by one.
 */
export class RemotePublisher implements Publisher {
  readonly #send: (message: FromIsolated) => void;
  readonly #underWay = new Map<number, Publication>();
  #numbers = 0;

  constructor(send: (message: FromIsolated) => void) {
    this.#send = send;
  }

  async publishVariant(variant: Omit<Variant, 'size' | 'url'>, bytes: Buffer): Promise<Variant> {
    const { size, url } = await this.#publish((number) => ({ type: 'publish', number, variant, bytes }));
    return { ...variant, size, url };
  }

  async publishFile(file: NewFile, chunks: AsyncIterable<Buffer>): Promise<DerivedFile> {
    const { size, url } = await this.#publish(
      (number) => ({ type: 'publish-file', number, file }),
      chunks[Symbol.asyncIterator](),
    );
    return { size, url };
  }

  /** Call it with each message of the worker that concerns publishing. */
  onAnswer(message: Answer): void {
    const publication = this.#underWay.get(message.number);
    if (publication === undefined) return;
    if (message.type === 'published') publication.resolve(message.file);
    else void this.#sendNext(message.number, publication);
  }

  async #publish(
    messageOf: (number: number) => FromIsolated,
    chunks?: AsyncIterator<Buffer>,
  ): Promise<Variant | DerivedFile> {
    const number = ++this.#numbers;
    const publication: Publication = { resolve: () => undefined, ...(chunks === undefined ? {} : { chunks }) };
    const answered = new Promise<Variant | DerivedFile | undefined>((resolve) => (publication.resolve = resolve));
    this.#underWay.set(number, publication);
    this.#send(messageOf(number));
    const file = await answered;
    this.#underWay.delete(number);
    if (publication.fault !== undefined) throw publication.fault.error;
    if (file !== undefined) return file;
    await chunks?.return?.();
    throw new Error('the worker could not publish the file');
  }

  async #sendNext(number: number, publication: Publication): Promise<void> {
    let chunk: PulledChunk;
    try {
      const next = await publication.chunks?.next();
      chunk = next === undefined || next.done === true ? {} : { bytes: next.value };
    } catch (error) {
      publication.fault = { error };
      chunk = { failed: true };
    }
    this.#send({ type: 'chunk', number, chunk });
  }
}
