import type { PageText, Words } from './words.ts';

/** Replaces every text of index.html, which is written in English, with the given language. */
export function translate({ locale, page, title }: Words): void {
  document.documentElement.lang = locale;
  document.title = title.idle;
  const texts: Partial<Record<string, string>> = page satisfies Readonly<Record<PageText, string>>;
  for (const element of document.querySelectorAll<HTMLElement>('[data-words]')) {
    const text = texts[element.dataset['words'] ?? ''];
    if (text === undefined) continue;
    if (element.hasAttribute('aria-label')) element.setAttribute('aria-label', text);
    else element.textContent = text;
  }
}
