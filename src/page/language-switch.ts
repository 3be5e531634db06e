import { make, required } from './dom.ts';
import { translate } from './translate.ts';
import type { Words } from './words.ts';
import { LANGUAGES, wordsFor } from './words-for.ts';

const KEY = 'deferred-uploads.language';

/** Returns a copy of the texts in the language that the user chose, or else in that of the browser. */
export async function chosenWords(
  storage: () => Pick<Storage, 'getItem'>,
  languages: readonly string[],
): Promise<Words> {
  const chosen = read(storage);
  return { ...(await wordsFor(chosen === null ? languages : [chosen])) };
}

function read(storage: () => Pick<Storage, 'getItem'>): string | null {
  try {
    return storage().getItem(KEY);
  } catch {
    return null;
  }
}

/**
 * Lets the user choose the language. It replaces the members of `words`, so that every part of the page uses the new
 * texts, and then calls `rebuild` for the parts that are already shown.
 */
export function offerLanguages(words: Words, storage: () => Pick<Storage, 'setItem'>, rebuild: () => void): void {
  const choice = required('#language', HTMLSelectElement);
  choice.append(
    ...LANGUAGES.map(({ name, locale }) => {
      const option = make('option', '', name);
      option.value = locale;
      option.lang = locale;
      option.selected = locale === words.locale;
      return option;
    }),
  );
  const change = async (): Promise<void> => {
    Object.assign(words, await wordsFor([choice.value]));
    translate(words);
    rebuild();
  };
  choice.addEventListener('change', () => {
    void change();
    try {
      storage().setItem(KEY, choice.value);
    } catch {
      // Without storage the choice lasts until a reload.
    }
  });
}
