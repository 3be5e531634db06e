import { supportedFiles } from './file-kinds.ts';

/**
 * Returns all dropped files, and the pictures and tables of dropped folders and their subfolders. Call it while the
 * event is handled, because the browser clears its items afterwards.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const plain = [...transfer.files];
  const folders = entries.filter(isFolder);
  if (folders.length === 0) return plain;
  const names = new Set(folders.map((folder) => folder.name));
  const inFolders = await Promise.all(folders.map(filesWithin));
  // Browsers also list a folder as a file without a type, which cannot be read.
  return [...plain.filter((file) => file.type !== '' || !names.has(file.name)), ...inFolders.flat()];
}

async function filesWithin(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const entries = await entriesOf(folder);
  const files = await Promise.all(entries.filter(isFile).map(fileOf));
  const deeper = await Promise.all(entries.filter(isFolder).map(filesWithin));
  return [...supportedFiles(files.filter((file) => file !== null)), ...deeper.flat()];
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

function fileOf(entry: FileSystemFileEntry): Promise<File | null> {
  return new Promise((resolve) => {
    entry.file(resolve, () => resolve(null));
  });
}

function isFolder(entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}
