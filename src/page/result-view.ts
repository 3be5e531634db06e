import type { Upload } from '../wire/documents.ts';
import { pictureView } from './picture-view.ts';
import { tableView } from './table-view.ts';
import type { Words } from './words.ts';

/** Builds the view of a result; null if this page does not know the kind. */
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
