import type { Upload } from '../wire/documents.ts';
import { pictureView } from './picture-view.ts';
import { tableView } from './table-view.ts';
import type { Words } from './words.ts';

/** What has become of a file, in the way of its kind; null for a kind that this page has never heard of. */
export function resultView(upload: Upload, words: Words): HTMLElement | null {
  const { result } = upload;
  switch (result?.kind) {
    case 'picture':
      return pictureView(upload, result, words);
    case 'table':
      return tableView(upload, result, words);
    default:
      return null;
  }
}
