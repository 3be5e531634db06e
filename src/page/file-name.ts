import { make } from './dom.ts';

/** Number of characters at the end that are always shown, because names of a series often differ only there. */
const TAIL_CHARS = 9;

/** Shows a file name that is shortened in the middle if it is too long for the line. */
export function fileName(name: string): HTMLElement {
  // Split by code points, because half a surrogate pair would be shown as a replacement character.
  const chars = Array.from(name);
  const cut = chars.length > 3 * TAIL_CHARS ? chars.length - TAIL_CHARS : chars.length;
  const shown = make('span', 'name', make('span', 'stem', chars.slice(0, cut).join('')));
  if (cut < chars.length) shown.append(make('span', 'tail', chars.slice(cut).join('')));
  shown.title = name;
  // A name in Arabic or Hebrew is read from the right, and is shortened at its left end.
  shown.dir = 'auto';
  return shown;
}
