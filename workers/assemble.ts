import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Logger } from '../src/telemetry/log.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import { originalKey } from '../src/storage/keys.ts';
import type { LocalFile, Storage } from '../src/storage/storage.ts';
import { UploadParts } from '../src/storage/upload-parts.ts';

/** The stage of the record while parts are joined or a large file is hashed. */
export const ASSEMBLE_STAGE = 'assemble';

/** The SHA-256 of a smaller file is computed after its processing, without a stage of its own. */
const LARGE_BYTES = 8 * 1024 * 1024;

/** Bytes of one read. */
const READ_BYTES = 1024 * 1024;

/** Reports the finished share of the work, 0 to 1. */
type ReportFraction = (fraction: number) => void;

/** The parameters with which parts are joined or a file is hashed. */
interface AssemblyContext {
  signal: AbortSignal;
  report: ReportFraction;
  /** Runs work that may last long, within the bounds of the attempt. The work stops when the signal fires. */
  bounded<Value>(work: () => Promise<Value>): Promise<Value>;
  log: Logger;
}

/** The file of an upload. */
export interface Assembled {
  input: LocalFile;
  /** The SHA-256 of the file. Set if it had to be computed. */
  sha256?: string;
}

/**
 * Opens the file of an upload. First joins its parts to one file if no request has done so, and computes the SHA-256 of
 * a large file that has none. Undefined if bytes are missing.
 */
export async function assemble(
  storage: Storage,
  record: UploadRecord,
  context: AssemblyContext,
): Promise<Assembled | undefined> {
  const key = originalKey(record.id, record.fencingToken);
  const sizeBytes = record.receivedBytes;
  const input = await storage.openLocal(key);
  if (input === undefined) {
    const sha256 = await context.bounded(() => joinParts(storage, record, context));
    const joined = sha256 === undefined ? undefined : await storage.openLocal(key);
    if (joined === undefined || sha256 === undefined) return undefined;
    context.log.info({ sizeBytes }, 'parts joined');
    return { input: joined, sha256 };
  }
  // An earlier attempt may have died before it removed them.
  if (record.metadata !== null) await new UploadParts(storage, record).removeJoined();
  if (record.sha256 !== null || sizeBytes < LARGE_BYTES) return { input };
  try {
    const { signal, report } = context;
    const sha256 = await context.bounded(async () => {
      // If the signal has fired before, this does not run. A stream without a reader would end the process then.
      const chunks = createReadStream(input.path, { highWaterMark: READ_BYTES, signal });
      return await hashOf(chunks, counting(sizeBytes, report));
    });
    return { input, sha256 };
  } catch (error) {
    await input.release();
    throw error;
  }
}

/** Returns the SHA-256 of the joined file. Undefined if not all parts are there. */
async function joinParts(
  storage: Storage,
  record: UploadRecord,
  { signal, report }: AssemblyContext,
): Promise<string | undefined> {
  const { id, fencingToken, receivedBytes: sizeBytes } = record;
  const parts = new UploadParts(storage, record);
  const { bytes, pieces, isJoined, keys } = await parts.stored();
  if (isJoined || bytes !== sizeBytes) return undefined;
  report(0);
  const writer = await storage.create(originalKey(id, fencingToken));
  try {
    const count = counting(sizeBytes, report);
    const sha256 = await hashOf(parts.read(pieces), async (chunk) => {
      signal.throwIfAborted();
      await writer.write(chunk);
      await count(chunk);
    });
    await writer.commit();
    await parts.remove(keys);
    return sha256;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function hashOf(chunks: AsyncIterable<Buffer>, eachChunk: (chunk: Buffer) => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    await eachChunk(chunk);
  }
  return hash.digest('hex');
}

function counting(sizeBytes: number, report: ReportFraction): (chunk: Buffer) => Promise<void> {
  let doneBytes = 0;
  return async (chunk) => {
    doneBytes += chunk.length;
    report(doneBytes / sizeBytes);
  };
}
