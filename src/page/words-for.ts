import type { Words } from './words.ts';
import { chinese } from './words-chinese.ts';
import { english } from './words-english.ts';
import { german } from './words-german.ts';
import { spanish } from './words-spanish.ts';

/** The languages of the page, each with its own name for itself. */
export const LANGUAGES: readonly { readonly name: string; readonly words: Words }[] = [
  { name: 'English', words: english },
  { name: 'Deutsch', words: german },
  { name: 'Español', words: spanish },
  { name: '简体中文', words: chinese },
];

/** Returns the texts in the first supported language of the user, or in English. */
export function wordsFor(languages: readonly string[]): Words {
  for (const tag of languages) {
    const known = LANGUAGES.find(({ words }) => languageOf(words.locale) === languageOf(tag));
    // The texts use simplified characters. Readers of traditional characters get English.
    if (known) return /^zh-(hant|tw|hk|mo)\b/i.test(tag) ? english : known.words;
  }
  return english;
}

/** The language of a tag such as `de-CH`. */
export function languageOf(tag: string): string {
  return (tag.split('-')[0] ?? '').toLowerCase();
}
