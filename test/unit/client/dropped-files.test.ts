import { describe, expect, test } from '@jest/globals';
import { acceptFiles, filesOf } from '../../../src/client/dropped-files.ts';

const PHOTO = new File(['1'], 'a.jpg', { type: 'image/jpeg' });

/** Makes the members of a DataTransfer that are used, with files and folders as a browser lists them. */
function transferOf(files: readonly File[], folders: readonly object[] = []): DataTransfer {
  const folderFiles = folders.map((folder) => new File([], 'name' in folder ? String(folder.name) : ''));
  return {
    types: ['Files'],
    files: [...files, ...folderFiles],
    items: [
      ...files.map(() => ({ kind: 'file', webkitGetAsEntry: () => ({ isFile: true, isDirectory: false }) })),
      ...folders.map((folder) => ({ kind: 'file', webkitGetAsEntry: () => folder })),
      { kind: 'string', webkitGetAsEntry: () => null },
    ],
  } as unknown as DataTransfer;
}

function fileEntry(name: string, isReadable = true): object {
  return {
    name,
    isFile: true,
    isDirectory: false,
    file: (resolve: (file: File) => void, reject: (error: Error) => void) =>
      isReadable ? resolve(new File(['x'], name)) : reject(new Error('NotReadableError')),
  };
}

/** Returns its entries one by one, as a browser returns them in groups of 100. */
function folderOf(name: string, entries: readonly object[]): object {
  const createReader = () => {
    const rest = [...entries];
    return { readEntries: (resolve: (some: object[]) => void) => resolve(rest.splice(0, 1)) };
  };
  return { name, isFile: false, isDirectory: true, createReader };
}

describe('filesOf', () => {
  test('returns files, and the files of folders and their subfolders', async () => {
    const folder = folderOf('trip', [
      fileEntry('b.jpg'),
      fileEntry('.DS_Store'),
      fileEntry('locked.jpg', false),
      folderOf('deeper', [fileEntry('c.jpg')]),
      folderOf('empty', []),
    ]);
    const files = await filesOf({ dataTransfer: transferOf([PHOTO], [folder]) });
    expect(files.map(({ name }) => name)).toEqual(['a.jpg', 'b.jpg', 'c.jpg']);
    const none = await filesOf({ dataTransfer: transferOf([PHOTO], [folder]) }, () => []);
    expect(none).toEqual([PHOTO]);
  });

  test('returns the files of a paste', async () => {
    expect(await filesOf({ clipboardData: transferOf([PHOTO]) })).toEqual([PHOTO]);
    expect(await filesOf({ dataTransfer: null })).toEqual([]);
  });
});

describe('acceptFiles', () => {
  function send(target: EventTarget, name: string, members: object): Event {
    const event = Object.assign(new Event(name, { cancelable: true }), members);
    target.dispatchEvent(event);
    return event;
  }

  test('takes drops and pastes of files until it is ended', async () => {
    const target = new EventTarget();
    const taken: string[][] = [];
    const end = acceptFiles(target, (files) => taken.push(files.map(({ name }) => name)));
    expect(send(target, 'dragover', { dataTransfer: transferOf([PHOTO]) }).defaultPrevented).toBe(true);
    send(target, 'drop', { dataTransfer: transferOf([PHOTO]) });
    send(target, 'paste', { clipboardData: transferOf([PHOTO, PHOTO]) });
    await new Promise(setImmediate);
    expect(taken).toEqual([['a.jpg'], ['a.jpg', 'a.jpg']]);
    end();
    expect(send(target, 'drop', { dataTransfer: transferOf([PHOTO]) }).defaultPrevented).toBe(false);
  });

  test('leaves text to the page', () => {
    const target = new EventTarget();
    acceptFiles(target, () => undefined);
    const text = { types: ['text/plain'], files: [], items: [] };
    expect(send(target, 'paste', { clipboardData: text }).defaultPrevented).toBe(false);
    expect(send(target, 'dragover', { dataTransfer: text }).defaultPrevented).toBe(false);
  });
});
