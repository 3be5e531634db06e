/** The name and media type of a file, from which its kind is guessed before the bytes are read. */
export interface NamedFile {
  readonly name: string;
  readonly type?: string;
}

const PICTURE_NAME = /\.(jpe?g|png|webp|avif|gif|tiff?|heic|heif)$/i;
const TABLE_NAME = /\.(csv|tsv|xlsx)$/i;

/** Decides by the name only, because the media type of a table depends on the programs installed on the machine. */
export function isTable({ name }: NamedFile): boolean {
  return TABLE_NAME.test(name);
}

/** True if the name or the media type is that of a picture. */
export function isPictureFile(file: NamedFile): boolean {
  return !isTable(file) && (file.type?.startsWith('image/') === true || PICTURE_NAME.test(file.name));
}

/** Returns the pictures and tables of a folder. Other files were not chosen on purpose, so they are skipped. */
export function supportedFiles<T extends NamedFile>(files: readonly T[]): T[] {
  return files.filter((file) => isPictureFile(file) || isTable(file));
}
