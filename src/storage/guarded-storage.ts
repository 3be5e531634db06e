import type { Storage } from './storage.ts';

/** A storage that begins no object while `check` throws. Everything else goes on, so that uploads under way can end. */
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
