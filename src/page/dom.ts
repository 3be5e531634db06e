const SVG = 'http://www.w3.org/2000/svg';

/** The icons in index.html. */
type IconName = 'file' | 'table' | 'pause' | 'resume' | 'cross' | 'check' | 'alert' | 'link' | 'trash';

/** Returns an element of index.html. Throws if it is missing, for example after a partial update of the page. */
export function required<T extends Element>(selector: string, kind: new () => T): T {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`${selector} is missing from the page`);
}

/** Creates an element. Strings among the children become text, never markup. */
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

/** Creates an icon, hidden from screen readers because a text or label beside it says the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.classList.add('icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Creates a button with an icon and no visible text. */
export function iconButton(name: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const button = make('button', 'icon-button', icon(name));
  button.type = 'button';
  button.title = label;
  button.setAttribute('aria-label', label);
  button.addEventListener('click', onClick);
  return button;
}

/** Creates a button with a text. `label` is its accessible name, which also contains the name of the file. */
export function textButton(text: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make('button', 'button small', text);
  button.type = 'button';
  button.setAttribute('aria-label', label);
  button.addEventListener('click', onClick);
  return button;
}

/** Sets the text only if it differs, because most of several hundred lines do not change in one update. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute only if it differs; null removes it. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Moves an element, or inserts a new one, in front of `next`; null puts it at the end. It keeps the focus. */
export function moveBefore(parent: Element, element: Element, next: Element | null): void {
  if (element.parentElement === parent && element.nextElementSibling === next) return;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(element, next);
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

/** Moves the elements to the start of the parent, in this order. */
export function moveToStart(parent: Element, elements: readonly Element[]): void {
  let next = parent.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else moveBefore(parent, element, next);
  }
}

/** True if a part of the element is between the upper and the lower edge of the window. */
export function isOnScreen(element: Element): boolean {
  // Asking for the place of an element would render the skipped block around it. Safari before 17.4 has no
  // `checkVisibility`.
  if ('checkVisibility' in element && !element.checkVisibility({ contentVisibilityAuto: true })) return false;
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}
