import type { Words } from './words.ts';
import { chinese } from './words-chinese.ts';
import { english } from './words-english.ts';

/** The words for the first of the reader's languages that the page speaks; English otherwise. */
export function wordsFor(languages: readonly string[]): Words {
  const language = languages.find((tag) => /^(en|zh)\b/i.test(tag));
  // Simplified characters alone: readers of traditional ones are better served in English than in a wrong script.
  return language && /^zh\b(?!-(hant|tw|hk|mo)\b)/i.test(language) ? chinese : english;
}
