/** As much of a file as its kind is told by before anybody has looked into it; an empty type says nothing. */
export interface NamedFile {
  readonly name: string;
  readonly type?: string;
}

const PICTURE_NAME = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;
const TABLE_NAME = /\.(csv|tsv|xlsx)$/i;

/** Told by the name alone: browsers call a table whatever the office programs of the machine have taught them. */
export function isTable({ name }: NamedFile): boolean {
  return TABLE_NAME.test(name);
}

/** Folders hold more than what the service takes, and nobody has chosen the rest. */
export function welcomeAmong<T extends NamedFile>(files: readonly T[]): T[] {
  return files.filter(
    (file) => file.type?.startsWith('image/') === true || PICTURE_NAME.test(file.name) || isTable(file),
  );
}
