import { copyText } from './copy-text.ts';
import { icon, make, setText } from './dom.ts';
import { formatBytes } from './format.ts';
import type { Words } from './words.ts';

const COPIED_FOR_MS = 2000;

/** A label and the value that it describes. */
export type Fact = readonly [label: string, ...value: (Node | string)[]];

/** Builds a list of facts. Without `isLabelled` the labels are only for screen readers. */
export function factList(facts: readonly Fact[], isLabelled = false): HTMLElement {
  return make(
    'dl',
    isLabelled ? 'facts labelled' : 'facts',
    ...facts.map(([label, ...value]) =>
      make('div', '', make('dt', isLabelled ? '' : 'unseen', label), make('dd', '', ...value)),
    ),
  );
}

/** Builds a row of links and buttons. */
export function linkList(...links: readonly HTMLElement[]): HTMLElement {
  return make('ul', 'links', ...links.map((link) => make('li', '', link)));
}

/** The text and the target of a link. */
interface FileLink {
  text: string;
  url: string;
  /** Size of the file. Undefined if the file is made on request. */
  sizeBytes?: number;
  /** File name for a download. Undefined opens the file in a new tab, an empty string takes the server's file name. */
  saveAs?: string;
}

/** Builds a link to a file on the server. */
export function fileLink({ text, url, sizeBytes, saveAs }: FileLink, { locale }: Words): HTMLElement {
  const link = make('a', 'pill', text);
  if (sizeBytes !== undefined) link.title = formatBytes(sizeBytes, locale);
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  if (saveAs !== undefined) link.download = saveAs;
  return link;
}

/** Builds a button that looks like a link of the row. */
export function textPill(text: string, onClick: () => void): HTMLElement {
  const button = make('button', 'pill', text);
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}

/**
 * Builds a button that downloads an uploaded file. It is not a link, because the address contains the secret id, and
 * people copy the addresses of links for others.
 */
export function downloadButton(text: string, file: { url: string; saveAs: string }): HTMLElement {
  return textPill(text, () => download(file));
}

/** Downloads a file. An empty `saveAs` takes the server's file name. */
export function download({ url, saveAs }: { url: string; saveAs: string }): void {
  const link = make('a', '');
  link.href = url;
  link.download = saveAs;
  link.click();
}

/** Builds a button that copies the absolute URL of the path and shows whether that succeeded. */
export function copyButton(url: string, { links }: Words): HTMLElement {
  const label = make('span', '', links.copy);
  // Screen readers announce the changed text of the button.
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
