import { inSpan, type Span, type SpanStart } from '../telemetry/tracing.ts';
import { uploadRefIn } from '../telemetry/upload-ref.ts';
import { commitWith, type GrowingObjects, type ObjectWriter, type Storage } from './storage.ts';

/**
 * Returns a storage whose calls have spans below `parent`. Returns the same storage while tracing is off. The write of
 * a chunk has no span of its own, and neither has a listing.
 */
export function tracedStorage(storage: Storage, parent: Span): Storage {
  if (!parent.isOn) return storage;
  const traced = <T>(name: string, key: string, work: () => Promise<T>): Promise<T> =>
    inSpan(parent, `storage ${name}`, work, () => attributesOf(key));
  const { growing, direct } = storage;
  return {
    ...(growing === undefined ? {} : { growing: tracedGrowing(growing, parent) }),
    // Calls for the parts of direct uploads have no spans.
    ...(direct === undefined ? {} : { direct }),
    duplicate: (from, to) => traced('duplicate', to, () => storage.duplicate(from, to)),
    create: async (key) =>
      tracedWriter(await traced('create', key, () => storage.create(key)), { storage, parent, key }),
    createOnce: (key, bytes) => traced('create', key, () => storage.createOnce(key, bytes)),
    read: (key, range) => traced('read', key, () => storage.read(key, range)),
    stat: (key) => traced('stat', key, () => storage.stat(key)),
    list: (prefix, onUnreadable) => storage.list(prefix, onUnreadable),
    remove: (key) => traced('remove', key, () => storage.remove(key)),
    removeAll: (prefix) => traced('remove all', prefix, () => storage.removeAll(prefix)),
    removeUnfinished: (prefix, before) =>
      traced('remove unfinished', prefix, () => storage.removeUnfinished(prefix, before)),
    openLocal: (key) => traced('open', key, () => storage.openLocal(key)),
    probe: (kind) => storage.probe(kind),
    foreignName: () => storage.foreignName(),
    async close() {
      await storage.close?.();
    },
  };
}

/** As `tracedStorage`, for code that only reads. */
export function tracedReads(storage: Pick<Storage, 'read'>, parent: Span): Pick<Storage, 'read'> {
  if (!parent.isOn) return storage;
  return {
    read: (key, range) =>
      inSpan(
        parent,
        'storage read',
        () => storage.read(key, range),
        () => attributesOf(key),
      ),
  };
}

/** The commit of an upload with its manifest is the span `store`: after it the upload is safe. */
function tracedWriter(
  writer: ObjectWriter,
  { storage, parent, key }: { storage: Storage; parent: Span; key: string },
): ObjectWriter {
  const start = (): SpanStart => attributesOf(key);
  return {
    write: (chunk) => writer.write(chunk),
    commit: () => inSpan(parent, 'storage commit', () => writer.commit(), start),
    commitWith: (companion) => inSpan(parent, 'store', () => commitWith(storage, writer, companion), start),
    discard: () => inSpan(parent, 'storage discard', () => writer.discard(), start),
  };
}

/** The writes to a growing object have no spans, only its opening and its completion. */
function tracedGrowing(growing: GrowingObjects, parent: Span): GrowingObjects {
  return {
    open: (key, from) =>
      inSpan(
        parent,
        'storage append',
        () => growing.open(key, from),
        () => attributesOf(key),
      ),
    complete: (from, to, companion) =>
      inSpan(
        parent,
        'store',
        () => growing.complete(from, to, companion),
        () => attributesOf(to),
      ),
  };
}

/** Keys contain upload ids, so only the reference is kept. */
function attributesOf(key: string): SpanStart {
  return { attributes: { 'deferred_uploads.upload': uploadRefIn(key) } };
}
