import { droppedFiles } from './dropped-files.ts';
import { welcomeAmong } from './file-kinds.ts';

/** Calls `take` with whatever is picked, dropped anywhere on the page, or pasted. */
export function listenForFiles(take: (files: File[]) => void): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[type=file]')) {
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      take(input.webkitdirectory ? welcomeAmong(files) : files);
      // The same file may be chosen again, and is news then.
      input.value = '';
    });
  }
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
  listenForDrops(take);
}

/** Lets a person choose one file, of any kind. To be called while a click is being handled. */
export function chooseOne(take: (file: File) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file) take(file);
  });
  input.click();
}

function listenForDrops(take: (files: File[]) => void): void {
  const mark = (isOver: boolean): void => void document.body.toggleAttribute('data-drop', isOver);
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    // Without this the browser would show the picture in place of the page.
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    mark(true);
  });
  document.addEventListener('dragleave', (event) => {
    // Null once the pointer has left the window, and not merely one element for another.
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener('drop', (event) => {
    mark(false);
    if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer).then(take);
  });
}

function carriesFiles(transfer: DataTransfer): boolean {
  return transfer.types.includes('Files');
}
