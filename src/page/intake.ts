import { droppedFiles } from './dropped-files.ts';
import { supportedFiles } from './file-kinds.ts';

/** Calls `take` with files that the user chooses, pastes or drops anywhere on the page. */
export function listenForFiles(take: (files: File[]) => void): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[type=file]')) {
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      take(input.webkitdirectory ? supportedFiles(files) : files);
      // Otherwise choosing the same file again would not fire `change`.
      input.value = '';
    });
  }
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
  listenForDrops(take);
}

/** Opens a file dialog for one file of any type. Browsers allow this only while a click is handled. */
export function chooseOne(take: (file: File) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  // The browser may forget an input outside the document while its dialog is open. The choice would be lost then.
  input.hidden = true;
  document.body.append(input);
  input.addEventListener('cancel', () => input.remove());
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    input.remove();
    if (file) take(file);
  });
  input.click();
}

function listenForDrops(take: (files: File[]) => void): void {
  const mark = (isOver: boolean): void => void document.body.toggleAttribute('data-drop', isOver);
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    // Without this the browser would open the file instead of this page.
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    mark(true);
  });
  document.addEventListener('dragleave', (event) => {
    // `relatedTarget` is null if the pointer left the window, and an element if the pointer moved within the page.
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
