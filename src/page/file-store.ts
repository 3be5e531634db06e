/** Stores files of unfinished uploads, so that they survive a reload of the page. */
export interface FileStore {
  /** Rejects if the browser allows no storage or its quota is used up. */
  put(id: string, file: File): Promise<void>;
  /** Null if no file is stored under the id. */
  get(id: string): Promise<File | null>;
  remove(id: string): Promise<void>;
  ids(): Promise<string[]>;
}

const NAME = 'deferred-uploads';
const FILES = 'files';

/** Opens a store in IndexedDB, at its first use. `base` is the path of the service on its host. */
export function openFileStore(base = ''): FileStore {
  let opening: Promise<IDBDatabase> | null = null;
  const open = (): Promise<IDBDatabase> => (opening ??= openDatabase(NAME + base));

  async function run<T>(mode: IDBTransactionMode, act: (files: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(FILES, mode);
      const request = act(transaction.objectStore(FILES));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('The browser does not store files.'));
    });
  }

  return {
    async put(id, file) {
      await run('readwrite', (files) => files.put(file, id));
    },
    async get(id) {
      const found: unknown = await run('readonly', (files): IDBRequest<unknown> => files.get(id));
      return found instanceof File ? found : null;
    },
    async remove(id) {
      await run('readwrite', (files) => files.delete(id));
    },
    async ids() {
      return (await run('readonly', (files) => files.getAllKeys())).map(String);
    },
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(FILES);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser does not store files.'));
  });
}
