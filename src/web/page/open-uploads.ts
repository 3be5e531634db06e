/** What is kept of a line over a reload of the page. */
export interface OpenUpload {
  id: string;
  name: string;
  sizeBytes: number;
}

const KEY = 'deferred-uploads';

/** Those kept last; an empty list where there are none, or where the browser keeps nothing. */
export function readOpenUploads(storage: () => Pick<Storage, 'getItem'>): OpenUpload[] {
  try {
    const kept: unknown = JSON.parse(storage().getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isOpenUpload) : [];
  } catch {
    return [];
  }
}

/** Keeps them for this tab; ids are secrets, and so they stay out of anything that lasts longer. */
export function writeOpenUploads(storage: () => Pick<Storage, 'setItem'>, uploads: readonly OpenUpload[]): void {
  try {
    storage().setItem(KEY, JSON.stringify(uploads));
  } catch {
    // A private window or a full store: the page works on, and forgets on reload.
  }
}

function isOpenUpload(value: unknown): value is OpenUpload {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'id' in value && typeof value.id === 'string' && /^[0-9a-f-]{36}$/.test(value.id) &&
    'name' in value && typeof value.name === 'string' &&
    'sizeBytes' in value && typeof value.sizeBytes === 'number'
  );
}
