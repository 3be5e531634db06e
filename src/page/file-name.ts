import { make } from './dom.ts';

/** Kept of a long name's end, which tells the files of a series apart. */
const TAIL_CHARS = 9;

/** A file's name, which gives way in its middle where there is no room for all of it. */
export function fileName(name: string): HTMLElement {
  // By code points: half a surrogate pair would be shown as two marks that nobody knows.
  const chars = Array.from(name);
  const cut = chars.length > 3 * TAIL_CHARS ? chars.length - TAIL_CHARS : chars.length;
  const shown = make('span', 'name', make('span', 'stem', chars.slice(0, cut).join('')));
  if (cut < chars.length) shown.append(make('span', 'tail', chars.slice(cut).join('')));
  shown.title = name;
  return shown;
}
