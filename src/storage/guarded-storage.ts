import type { DirectParts } from './direct-parts.ts';
import type { GrowingObjects, Storage } from './storage.ts';

/** Rejects new objects while `check` throws. Everything else still works, so that running uploads can end. */
export function guardedStorage(storage: Storage, check: () => void): Storage {
  const { direct, growing } = storage;
  const storePair = storage.storePair?.bind(storage);
  return {
    ...(storePair === undefined
      ? {}
      : {
          async storePair(object, companion) {
            check();
            return await storePair(object, companion);
          },
        }),
    ...(direct === undefined ? {} : { direct: guardedParts(direct, check) }),
    async create(key) {
      check();
      return await storage.create(key);
    },
    ...(growing === undefined ? {} : { growing: guardedGrowing(growing, check) }),
    async duplicate(from, to) {
      check();
      return await storage.duplicate(from, to);
    },
    createOnce: (key, bytes) => storage.createOnce(key, bytes),
    read: (key, range) => storage.read(key, range),
    stat: (key) => storage.stat(key),
    list: (prefix, onUnreadable) => storage.list(prefix, onUnreadable),
    remove: (key) => storage.remove(key),
    removeAll: (prefix) => storage.removeAll(prefix),
    removeUnfinished: (prefix, before, mayRemove) => storage.removeUnfinished(prefix, before, mayRemove),
    openLocal: (key) => storage.openLocal(key),
    probe: (kind) => storage.probe(kind),
    foreignName: () => storage.foreignName(),
    async close() {
      await storage.close?.();
    },
  };
}

function guardedParts(direct: DirectParts, check: () => void): DirectParts {
  return {
    async begin(key) {
      check();
      return await direct.begin(key);
    },
    find: (key, except) => direct.find(key, except),
    async put(upload, number, bytes) {
      check();
      await direct.put(upload, number, bytes);
    },
    async copy(upload, number, from) {
      check();
      return await direct.copy(upload, number, from);
    },
    sign: (upload, parts) => direct.sign(upload, parts),
    list: (upload) => direct.list(upload),
    complete: (upload, parts) => direct.complete(upload, parts),
    abort: (upload) => direct.abort(upload),
  };
}

function guardedGrowing(growing: GrowingObjects, check: () => void): GrowingObjects {
  return {
    async open(key, from) {
      check();
      return await growing.open(key, from);
    },
    complete: (from, to, companion) => growing.complete(from, to, companion),
  };
}
