import type { FoundUpload, FoundUploads } from '../../wire/documents.ts';
import { make, required, setText } from '../dom.ts';
import { formatBytes } from '../format.ts';
import { formatAge } from './format-figures.ts';

/**
 * Searches when the form is submitted. The text is not kept in the address, because it may be an id, which is a secret.
 * @param ask requests a path of the service.
 */
export function searchUploads(ask: (path: string) => Promise<Response>): void {
  const form = required('#search', HTMLFormElement);
  const input = required('#search-text', HTMLInputElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void search(ask, input.value);
  });
}

async function search(ask: (path: string) => Promise<Response>, text: string): Promise<void> {
  const note = required('#search-note', HTMLElement);
  try {
    const response = await ask(`operators/uploads?q=${encodeURIComponent(text.trim())}`);
    const { uploads, isComplete } = (await response.json()) as FoundUploads;
    required('#found-rows', HTMLElement).replaceChildren(...uploads.map((upload) => rowOf(upload, Date.now())));
    required('#found', HTMLElement).hidden = uploads.length === 0;
    setText(note, noteOn(uploads.length, isComplete));
  } catch (error) {
    setText(note, error instanceof Error ? error.message : String(error));
  }
}

function noteOn(count: number, isComplete: boolean): string {
  if (count === 0) return isComplete ? 'No upload was found.' : 'No upload was found among the 20,000 that were read.';
  return isComplete ? '' : 'More uploads may match. Search for a longer text.';
}

function rowOf(upload: FoundUpload, nowMs: number): HTMLTableRowElement {
  const { ref, name, type, size, state, stage, percent, attempts, tenant, error, createdAt } = upload;
  const now = state === 'completed' ? state : `${state}, ${stage}, ${Math.floor(percent)} %`;
  return make(
    'tr',
    '',
    make('td', 'name', name, make('span', 'id', ref)),
    make('td', 'wide', error === null ? now : `${error.code}: ${error.detail}`),
    make('td', '', type ?? '–'),
    make('td', 'number', formatBytes(size, 'en-GB')),
    make('td', 'number', String(attempts)),
    make('td', '', tenant ?? '–'),
    make('td', '', `${formatAge(Math.max(0, nowMs - Date.parse(createdAt)))} ago`),
  );
}
