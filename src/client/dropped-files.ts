/** An event of the browser, or of a library that has the same members, such as React. */
export interface FilesEvent {
  /** Set for a drop. */
  readonly dataTransfer?: DataTransfer | null;
  /** Set for a paste. */
  readonly clipboardData?: DataTransfer | null;
}

/**
 * Returns the files of a drop or a paste, with the files of dropped folders and their subfolders. Call it while the
 * event is handled, because the browser clears its data afterwards.
 *
 * @param selectOfFolders leaves out files of folders, which the user has not chosen one by one. Default: all files
 */
export async function filesOf(
  event: FilesEvent,
  selectOfFolders: (files: File[]) => File[] = (files) => files,
): Promise<File[]> {
  const transfer = event.dataTransfer ?? event.clipboardData;
  if (!transfer) return [];
  const plain = [...transfer.files];
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const folders = entries.filter(isFolder);
  // Browsers also list a folder as a file without a type, which cannot be read.
  const names = new Set(folders.map(({ name }) => name));
  const files = plain.filter(({ type, name }) => type !== '' || !names.has(name));
  return [...files, ...selectOfFolders((await Promise.all(folders.map(filesWithin))).flat())];
}

/**
 * Calls `onFiles` with the files that are dropped on a target or pasted into it, such as an element or `document`.
 * Returns a function that removes the listeners.
 */
export function acceptFiles(target: EventTarget, onFiles: (files: File[]) => void): () => void {
  const allowDrop = (event: FilesEvent & Event): void => {
    if (event.dataTransfer?.types.includes('Files') === true) event.preventDefault();
  };
  const take = (event: FilesEvent & Event): void => {
    if ((event.dataTransfer ?? event.clipboardData)?.types.includes('Files') !== true) return;
    event.preventDefault();
    void filesOf(event).then((files) => files.length > 0 && onFiles(files));
  };
  const listeners = { dragenter: allowDrop, dragover: allowDrop, drop: take, paste: take };
  for (const [name, listener] of Object.entries(listeners)) target.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) target.removeEventListener(name, listener);
  };
}

/** Leaves out hidden files, which some systems keep beside pictures. */
async function filesWithin(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const entries = (await entriesOf(folder)).filter(({ name }) => !name.startsWith('.'));
  const files = await Promise.all(entries.filter(isFile).map(fileOf));
  const deeper = await Promise.all(entries.filter(isFolder).map(filesWithin));
  return [...files.flat(), ...deeper.flat()];
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // Browsers return up to 100 entries per call, and an empty list at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve) => {
      reader.readEntries(resolve, () => resolve([]));
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Returns the file in a list, which is empty if it cannot be read. */
function fileOf(entry: FileSystemFileEntry): Promise<File[]> {
  return new Promise((resolve) => {
    entry.file(
      (file) => resolve([file]),
      () => resolve([]),
    );
  });
}

function isFolder(entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
