import { cutToBytes } from '../intake/file-name.ts';

/** File systems allow names of at most this length. */
const MAX_NAME_BYTES = 255;

/** Characters that Windows does not allow in names. */
const FORBIDDEN = /[<>:"|?*\\/\p{Cc}]/gu;

/** Names of devices, with any ending. Windows cannot create files with them. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const ENDING = /\.[A-Za-z0-9]{1,10}$/;

/** Returns a name that every file system accepts as one segment of a path. */
export function safeName(fileName: string): string {
  const plain = fileName
    .normalize('NFC')
    .replace(FORBIDDEN, '_')
    .replace(/(?<![. ])[. ]+$/, '');
  const name = DEVICE.test(plain) ? `_${plain}` : plain;
  return name === '' ? 'file' : cutToBytes(name, MAX_NAME_BYTES);
}

/** Returns the name without its ending, for a folder. */
export function withoutEnding(name: string): string {
  return safeName(name.replace(ENDING, ''));
}

/**
 * Makes names unique: the second `a.jpg` becomes `a (2).jpg`. Names that differ only in case count as equal, as on many
 * disks.
 */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** The number to try next, so that 100 equal names take 100 steps. */
  readonly #next = new Map<string, number>();

  /** Returns the name, or the name with the next free number. */
  add(name: string): string {
    const key = name.toLowerCase();
    for (let number = this.#next.get(key) ?? 1; ; number += 1) {
      const candidate = number === 1 ? name : numbered(name, number);
      if (this.#taken.has(candidate.toLowerCase())) continue;
      this.#next.set(key, number + 1);
      this.#taken.add(candidate.toLowerCase());
      return candidate;
    }
  }
}

function numbered(name: string, number: number): string {
  const ending = ENDING.exec(name)?.[0] ?? '';
  const tail = ` (${number})${ending}`;
  return cutToBytes(name.slice(0, name.length - ending.length), MAX_NAME_BYTES - Buffer.byteLength(tail)) + tail;
}
