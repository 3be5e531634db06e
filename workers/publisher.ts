import { createHash } from 'node:crypto';
import type { StoredVariant, UploadRecord } from '../src/record/record-fields.ts';
import { derivedKey, variantKey } from '../src/storage/keys.ts';
import { putObject, type ObjectWriter, type Storage } from '../src/storage/storage.ts';
import type { StepContext } from './processor.ts';

interface PublisherParts {
  storage: Storage;
}

/** The part of a step's context that makes derived files. */
export type Publisher = Pick<StepContext, 'publishVariant' | 'publishFile'>;

/** A media type with parameters, as a header may contain it (RFC 9110 section 8.3.1). */
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(; ?[\w-]{1,50}=[\w.+-]{1,100}){0,3}$/;

/**
 * Browsers may display these types, because pictures contain no scripts. They save every other file, so that it cannot
 * act as a page of this origin.
 */
const SHOWN_BY_BROWSERS: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/avif',
  'image/gif',
]);

/** Creates the publisher of one attempt. `announce` is called for each file that is stored. */
export function createPublisher(
  { storage }: PublisherParts,
  record: Pick<UploadRecord, 'id' | 'publicId' | 'attempt'>,
  signal: AbortSignal,
  announce: (file: StoredVariant) => void,
): Publisher {
  const urlOf = (name: string) => `/variants/${record.publicId}/${name}`;
  return {
    async publishVariant(made, bytes) {
      signal.throwIfAborted();
      const key = variantKey(record.id, record.attempt, made.name, made.format);
      await putObject(storage, key, bytes);
      const variant = { ...made, size: bytes.length, url: urlOf(made.name) };
      signal.throwIfAborted();
      announce({ ...variant, key, sha256: createHash('sha256').update(bytes).digest('hex') });
      return variant;
    },
    async publishFile({ name, format, type }, chunks) {
      signal.throwIfAborted();
      if (!MEDIA_TYPE.test(type)) throw new Error(`the file ${name} has no valid media type`);
      const key = derivedKey(record.id, record.attempt, name);
      const { size, sha256 } = await putChunks(await storage.create(key), chunks, signal);
      const url = urlOf(name);
      const shown = SHOWN_BY_BROWSERS.has(type) ? {} : { isAttachment: true };
      signal.throwIfAborted();
      announce({ name, format, type, ...shown, size, url, key, sha256 });
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
