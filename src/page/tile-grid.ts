import { make, moveBefore } from './dom.ts';
import { GROUPS, type LineGroup } from './line-order.ts';

/** A multiple of each number of columns (2 to 5). So only the last row of a group has gaps. */
const BLOCK_TILES = 60;

/**
 * The tiles of the gallery, each group in blocks of 60. The browser renders only blocks near the window, so a change
 * costs the same with 500 tiles as with 120. All tiles stay in the document, for the search of the browser and for
 * screen readers.
 */
export class TileGrid {
  readonly #gallery: HTMLElement;
  readonly #groups: ReadonlyMap<LineGroup, HTMLElement>;

  constructor(gallery: HTMLElement) {
    this.#gallery = gallery;
    this.#groups = new Map(GROUPS.map((group) => [group, make('div', 'group')]));
    for (const [group, element] of this.#groups) element.setAttribute('data-group', group);
    gallery.append(...this.#groups.values());
  }

  /** Inserts or moves a tile. It becomes the last one of the group if `next` is null or belongs to another group. */
  place(tile: HTMLElement, group: LineGroup, next: Element | null): void {
    const element = this.#elementOf(group);
    const before = element.contains(next) ? next : null;
    moveBefore(before?.parentElement ?? element.lastElementChild ?? addBlock(element), tile, before);
  }

  /** Fills the blocks again. Call it after tiles were placed or removed. */
  settle(): void {
    let tiles = 0;
    for (const element of this.#groups.values()) {
      for (let block = element.firstElementChild; block; block = block.nextElementSibling) {
        fill(block);
        tiles += block.childElementCount;
      }
      if (element.lastElementChild?.childElementCount === 0) element.lastElementChild.remove();
    }
    this.#gallery.hidden = tiles === 0;
  }

  /** Returns the blocks of a group, each with the tiles that belong into it if all are in this order. */
  blocksFor(group: LineGroup, tiles: readonly HTMLElement[]): [block: Element, tiles: readonly HTMLElement[]][] {
    const element = this.#elementOf(group);
    return Array.from({ length: Math.ceil(tiles.length / BLOCK_TILES) }, (_, index) => [
      element.children.item(index) ?? addBlock(element),
      tiles.slice(index * BLOCK_TILES, (index + 1) * BLOCK_TILES),
    ]);
  }

  #elementOf(group: LineGroup): HTMLElement {
    const element = this.#groups.get(group);
    if (!element) throw new RangeError(`The gallery has no group ${group}.`);
    return element;
  }
}

function addBlock(group: Element): HTMLElement {
  const block = make('div', 'block');
  group.append(block);
  return block;
}

/** Moves tiles between a block and the next ones until it is full, or until no tile follows. */
function fill(block: Element): void {
  const group = block.parentElement;
  if (!group) return;
  while (block.childElementCount > BLOCK_TILES && block.lastElementChild) {
    const next = block.nextElementSibling ?? addBlock(group);
    moveBefore(next, block.lastElementChild, next.firstElementChild);
  }
  while (block.childElementCount < BLOCK_TILES && block.nextElementSibling) {
    const next = block.nextElementSibling;
    if (next.firstElementChild) moveBefore(block, next.firstElementChild, null);
    else next.remove();
  }
  // From it the style sheet estimates the height of a block that was never rendered.
  const tiles = String(block.childElementCount);
  if (!(block instanceof HTMLElement) || block.style.getPropertyValue('--tiles') === tiles) return;
  block.style.setProperty('--tiles', tiles);
}
