import type { Words } from './words.ts';
import { english } from './words-english.ts';

/** A language of the page. */
interface Language {
  readonly locale: string;
  /** The name of the language in this language. */
  readonly name: string;
  /** Loads the texts. Only English is part of the page. */
  readonly load: () => Promise<Words>;
}

/** The languages of the page. */
export const LANGUAGES: readonly Language[] = [
  { locale: 'en-GB', name: 'English', load: () => Promise.resolve(english) },
  { locale: 'de-DE', name: 'Deutsch', load: async () => (await import('./words-german.ts')).german },
  { locale: 'es-ES', name: 'Español', load: async () => (await import('./words-spanish.ts')).spanish },
  { locale: 'zh-CN', name: '简体中文', load: async () => (await import('./words-chinese.ts')).chinese },
];

/** Returns the texts in the first supported language of the user, or in English. */
export async function wordsFor(languages: readonly string[]): Promise<Words> {
  for (const tag of languages) {
    const known = LANGUAGES.find(({ locale }) => languageOf(locale) === languageOf(tag));
    if (!known) continue;
    // The texts use simplified characters. Readers of traditional characters get English.
    return /^zh-(hant|tw|hk|mo)\b/i.test(tag) ? english : await known.load().catch(() => english);
  }
  return english;
}

/** Returns the language of a tag such as `de-CH`. */
function languageOf(tag: string): string {
  return (tag.split('-')[0] ?? '').toLowerCase();
}
