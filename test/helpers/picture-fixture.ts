import type { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';

/** Returns the bytes of a file in `test/fixtures/pictures`. */
export async function pictureFixture(name: string): Promise<Buffer> {
  return await readFile(new URL(`../fixtures/pictures/${name}`, import.meta.url));
}
