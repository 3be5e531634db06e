import { createHash } from 'node:crypto';
import type { StoredVariant, UploadRecord } from '../src/record/record-fields.ts';
import type { UploadRecords } from '../src/record/record.ts';
import { derivedKey, variantKey } from '../src/storage/keys.ts';
import { putObject, type ObjectWriter, type Storage } from '../src/storage/storage.ts';
import type { StepContext } from './processor.ts';

/** Stores files and announces them in the record. */
export interface PublisherParts {
  records: Pick<UploadRecords, 'announce'>;
  storage: Storage;
}

/** The part of a step's context that makes derived files. */
export type Publisher = Pick<StepContext, 'publishVariant' | 'publishFile'>;

/** A media type with parameters, as a header may contain it (RFC 9110 section 8.3.1). */
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(; ?[\w-]{1,50}=[\w.+-]{1,100}){0,3}$/;

/** Pictures contain no scripts. Every other file is saved, so that it cannot act as a page of this origin. */
const SHOWN_BY_BROWSERS: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/avif',
  'image/gif',
]);

/** The publisher of one attempt. */
export interface AttemptPublisher extends Publisher {
  /** All files announced so far. */
  readonly announced: readonly StoredVariant[];
}

/**
 * Creates the publisher of one attempt. `onRefused` is called if the record rejects a file because the attempt was
 * overtaken; it must fire the signal of the attempt.
 */
export function createPublisher(
  parts: PublisherParts,
  record: UploadRecord,
  signal: AbortSignal,
  onRefused: () => void,
): AttemptPublisher {
  const announced: StoredVariant[] = [];
  const announce = async (file: StoredVariant): Promise<void> => {
    const outcome = await parts.records.announce(record.id, record.attempt, file);
    if (!outcome.applied) onRefused();
    signal.throwIfAborted();
    announced.push(file);
  };
  const urlOf = (name: string) => `/variants/${record.publicId}/${name}`;
  return {
    announced,
    async publishVariant(made, bytes) {
      signal.throwIfAborted();
      const key = variantKey(record.id, record.attempt, made.name, made.format);
      await putObject(parts.storage, key, bytes);
      const variant = { ...made, size: bytes.length, url: urlOf(made.name) };
      await announce({ ...variant, key, sha256: createHash('sha256').update(bytes).digest('hex') });
      return variant;
    },
    async publishFile({ name, format, type }, chunks) {
      signal.throwIfAborted();
      if (!MEDIA_TYPE.test(type)) throw new Error(`the file ${name} has no valid media type`);
      const key = derivedKey(record.id, record.attempt, name);
      const { size, sha256 } = await putChunks(await parts.storage.create(key), chunks, signal);
      const url = urlOf(name);
      const shown = SHOWN_BY_BROWSERS.has(type) ? {} : { isAttachment: true };
      await announce({ name, format, type, ...shown, size, url, key, sha256 });
      return { size, url };
    },
  };
}

/** Writes an object chunk by chunk. If a chunk fails or the signal fires, nothing of the object is left. */
async function putChunks(
  writer: ObjectWriter,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  let written: Promise<unknown> = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
      // The next chunk is produced while this one is written.
      await written;
      written = writer.write(chunk);
      written.catch(() => undefined);
    }
    await written;
    await writer.commit();
    return { size, sha256: hash.digest('hex') };
  } catch (error) {
    await written.catch(() => undefined);
    await writer.discard();
    throw error;
  }
}
