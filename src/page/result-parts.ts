import { copyText } from './copy-text.ts';
import { icon, make, setText } from './dom.ts';
import { formatBytes } from './format.ts';
import type { Words } from './words.ts';

const COPIED_FOR_MS = 2000;

/** One thing that is known of a file. */
export type Fact = readonly [label: string, ...value: (Node | string)[]];

/** The labels are heard and not seen: the values speak for themselves. */
export function factList(facts: readonly Fact[]): HTMLElement {
  return make(
    'dl',
    'facts',
    ...facts.map(([label, ...value]) => make('div', '', make('dt', 'unseen', label), make('dd', '', ...value))),
  );
}

/** Links and buttons in a row. */
export function linkList(...links: readonly HTMLElement[]): HTMLElement {
  return make('ul', 'links', ...links.map((link) => make('li', '', link)));
}

/** Where a link leads, and what stands on it. */
export interface FileLink {
  text: string;
  url: string;
  sizeBytes: number;
  /** Name under which it is saved; it is opened in a tab of its own where left out, saved under the server's name where empty. */
  saveAs?: string;
}

/** A link to a file of the server's. */
export function fileLink({ text, url, sizeBytes, saveAs }: FileLink, { locale }: Words): HTMLElement {
  const link = make('a', 'pill', text);
  link.title = formatBytes(sizeBytes, locale);
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  if (saveAs !== undefined) link.download = saveAs;
  return link;
}

/** Copies the whole address of the path given, and says whether it could. */
export function copyButton(url: string, { links }: Words): HTMLElement {
  const label = make('span', '', links.copy);
  // Heard too, as the words change under the reader's finger.
  label.setAttribute('aria-live', 'polite');
  const button = make('button', 'pill', icon('link'), label);
  button.type = 'button';
  const copy = async (): Promise<void> => {
    const copied = await copyText(new URL(url, location.href).href);
    setText(label, copied ? links.copied : links.notCopied);
    setTimeout(() => setText(label, links.copy), COPIED_FOR_MS);
  };
  button.addEventListener('click', () => void copy());
  return button;
}
