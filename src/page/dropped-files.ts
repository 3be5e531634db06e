import { filesOf } from '../client/dropped-files.ts';
import { supportedFiles } from './file-kinds.ts';

/**
 * Returns all dropped files, and the pictures and tables of dropped folders and their subfolders. Call it while the
 * event is handled, because the browser clears its items afterwards.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  return await filesOf({ dataTransfer: transfer }, supportedFiles);
}
