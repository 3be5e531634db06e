const SVG = 'http://www.w3.org/2000/svg';

/** Names of the symbols in index.html. */
export type IconName = 'file' | 'table' | 'pause' | 'resume' | 'cross' | 'check' | 'alert' | 'link';

/** An element of index.html; throws where page and script do not belong together. */
export function required<T extends Element>(selector: string, kind: new () => T): T {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`${selector} is missing from the page`);
}

/** A new element. Text among the children is only ever text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}

/** One of the symbols of index.html, hidden from assistive technology: the words beside it say the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.classList.add('icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon alone. */
export function iconButton(name: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const button = make('button', 'icon-button', icon(name));
  button.type = 'button';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.addEventListener('click', onClick);
  return button;
}

/** A button with words; `label` says which of its kind it is. */
export function textButton(text: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make('button', 'button small', text);
  button.type = 'button';
  button.setAttribute('aria-label', label);
  button.addEventListener('click', onClick);
  return button;
}

/** Leaves the page alone where nothing changes: with hundreds of lines most of them do not. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** As above, for an attribute; null takes it away. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
