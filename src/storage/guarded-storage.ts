import type { Storage } from './storage.ts';

/** Rejects new objects while `check` throws. Everything else still works, so that running uploads can end. */
export function guardedStorage(storage: Storage, check: () => void): Storage {
  return {
    async create(key) {
      check();
      return await storage.create(key);
    },
    createOnce: (key, bytes) => storage.createOnce(key, bytes),
    read: (key, range) => storage.read(key, range),
    stat: (key) => storage.stat(key),
    list: (prefix, onUnreadable) => storage.list(prefix, onUnreadable),
    remove: (key) => storage.remove(key),
    removeAll: (prefix) => storage.removeAll(prefix),
    removeUnfinished: (prefix, before) => storage.removeUnfinished(prefix, before),
    openLocal: (key) => storage.openLocal(key),
    probe: (kind) => storage.probe(kind),
    foreignName: () => storage.foreignName(),
    async close() {
      await storage.close?.();
    },
  };
}
