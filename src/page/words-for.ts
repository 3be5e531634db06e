import type { Words } from './words.ts';
import { chinese } from './words-chinese.ts';
import { english } from './words-english.ts';

/** Returns the texts in the first supported language of the user, or in English. */
export function wordsFor(languages: readonly string[]): Words {
  const language = languages.find((tag) => /^(en|zh)\b/i.test(tag));
  // The texts use simplified characters. Readers of traditional characters get English.
  return language && /^zh\b(?!-(hant|tw|hk|mo)\b)/i.test(language) ? chinese : english;
}
