import { inSpan, type Span, type SpanStart } from '../telemetry/tracing.ts';
import { uploadRefIn } from '../telemetry/upload-ref.ts';
import type { DirectParts } from './direct-parts.ts';
import {
  commitWith,
  type GrowingObject,
  type GrowingObjects,
  type ObjectWriter,
  type Storage,
  type StoredObject,
} from './storage.ts';

/** Runs one call of the storage in a span of its own. */
type Traced = <T>(name: string, key: string, call: () => Promise<T>) => Promise<T>;

/** The storage behind each traced one, so that a second parent replaces the first. */
const untraced = new WeakMap<Storage, Storage>();

/**
 * Returns a storage whose calls have spans below `parent`. Returns the same storage while tracing is off. The write of
 * a chunk has no span of its own. A traced storage may be traced again: its calls have one span each, below the last
 * parent.
 */
export function tracedStorage(storage: Storage, parent: Span): Storage {
  if (!parent.isOn) return storage;
  const bare = untraced.get(storage) ?? storage;
  const traced: Traced = (name, key, call) => inSpan(parent, name, call, () => attributesOf(key));
  const result = wrapped(bare, parent, traced);
  untraced.set(result, bare);
  return result;
}

/** Like `tracedStorage`, for code that only reads. */
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

function wrapped(storage: Storage, parent: Span, traced: Traced): Storage {
  const { growing, direct } = storage;
  const storePair = storage.storePair?.bind(storage);
  return {
    ...(storePair === undefined
      ? {}
      : { storePair: (object, small) => traced('store', object.key, () => storePair(object, small)) }),
    ...(growing === undefined ? {} : { growing: tracedGrowing(growing, traced) }),
    ...(direct === undefined ? {} : { direct: tracedParts(direct, traced) }),
    duplicate: (from, to) => traced('storage duplicate', to, () => storage.duplicate(from, to)),
    create: async (key) =>
      tracedWriter(await traced('storage create', key, () => storage.create(key)), { storage, key, traced }),
    createOnce: (key, bytes) => traced('storage create', key, () => storage.createOnce(key, bytes)),
    read: (key, range) => traced('storage read', key, () => storage.read(key, range)),
    stat: (key) => traced('storage stat', key, () => storage.stat(key)),
    list: (prefix, onUnreadable) => tracedList(storage.list(prefix, onUnreadable), parent, prefix),
    remove: (key) => traced('storage remove', key, () => storage.remove(key)),
    removeAll: (prefix) => traced('storage remove all', prefix, () => storage.removeAll(prefix)),
    removeUnfinished: (prefix, before, mayRemove) =>
      traced('storage remove unfinished', prefix, () => storage.removeUnfinished(prefix, before, mayRemove)),
    openLocal: (key) => traced('storage open', key, () => storage.openLocal(key)),
    probe: (kind) => storage.probe(kind),
    foreignName: () => storage.foreignName(),
    async close() {
      await storage.close?.();
    },
  };
}

/** Traces a writer. The commit with the manifest is the span `store`: after it the upload is safe. */
function tracedWriter(
  writer: ObjectWriter,
  { storage, key, traced }: { storage: Storage; key: string; traced: Traced },
): ObjectWriter {
  return {
    write: (chunk) => writer.write(chunk),
    commit: () => traced('storage commit', key, () => writer.commit()),
    commitWith: (companion) => traced('store', key, () => commitWith(storage, writer, companion)),
    discard: () => traced('storage discard', key, () => writer.discard()),
  };
}

/** Traces a listing, from the first request for a name to the last one, with the work of the caller in between. */
async function* tracedList(
  objects: AsyncIterable<StoredObject>,
  parent: Span,
  prefix: string,
): AsyncGenerator<StoredObject> {
  const span = parent.child('storage list', attributesOf(prefix));
  try {
    yield* objects;
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

function tracedGrowing(growing: GrowingObjects, traced: Traced): GrowingObjects {
  return {
    async open(key, from) {
      const object = await traced('storage append', key, () => growing.open(key, from));
      return object && tracedObject(object, key, traced);
    },
    complete: (from, to, companion) => traced('store', to, () => growing.complete(from, to, companion)),
  };
}

/** Traces a growing object. The saves between two writes run beside them, so they have no spans. */
function tracedObject(object: GrowingObject, key: string, traced: Traced): GrowingObject {
  return {
    get savedBytes() {
      return object.savedBytes;
    },
    write: (chunk) => object.write(chunk),
    saveBehind: (keyOf) => object.saveBehind(keyOf),
    close: (keyOf) => traced('storage commit', key, () => object.close(keyOf)),
    discard: (keyOf) => traced('storage discard', key, () => object.discard(keyOf)),
  };
}

/** Traces direct parts. Signing has no span, because it sends no request. */
function tracedParts(direct: DirectParts, traced: Traced): DirectParts {
  return {
    begin: (key) => traced('storage begin parts', key, () => direct.begin(key)),
    find: (key, except) => traced('storage find parts', key, () => direct.find(key, except)),
    put: (upload, number, bytes) => traced('storage put part', upload.key, () => direct.put(upload, number, bytes)),
    copy: (upload, number, from) => traced('storage copy part', upload.key, () => direct.copy(upload, number, from)),
    sign: (upload, parts) => direct.sign(upload, parts),
    list: (upload) => traced('storage list parts', upload.key, () => direct.list(upload)),
    complete: (upload, parts) => traced('storage join parts', upload.key, () => direct.complete(upload, parts)),
    abort: (upload) => traced('storage remove parts', upload.key, () => direct.abort(upload)),
  };
}

/** Returns only the upload reference of a key, because keys contain upload ids. */
function attributesOf(key: string): SpanStart {
  return { attributes: { 'deferred_uploads.upload': uploadRefIn(key) } };
}
