import { make, moveBefore } from './dom.ts';
import { GROUPS, type LineGroup } from './line-order.ts';

/** Tiles in a block: a multiple of each number of columns (2 to 5), so that only the last row has gaps. */
const BLOCK_TILES = 60;

interface GroupElements {
  readonly group: HTMLElement;
  /** Has the blocks of tiles. */
  readonly tiles: HTMLElement;
  readonly lines: HTMLElement;
}

/**
 * The groups of the list: in each one first its tiles, in blocks of 60, and then its lines. The browser renders only
 * blocks near the window, so a change costs the same with 500 tiles as with 120. All tiles stay in the document, for
 * the search of the browser and for screen readers.
 */
export class ListGroups {
  readonly #groups: ReadonlyMap<LineGroup, GroupElements>;

  constructor(container: HTMLElement) {
    this.#groups = new Map(GROUPS.map((name) => [name, createGroup(name)]));
    container.append(...[...this.#groups.values()].map(({ group }) => group));
  }

  /** Inserts or moves a tile. It becomes the last one of the group if `next` is null or belongs to another group. */
  placeTile(tile: HTMLElement, name: LineGroup, next: Element | null): void {
    const { tiles } = this.#elementsOf(name);
    const before = tiles.contains(next) ? next : null;
    moveBefore(before?.parentElement ?? tiles.lastElementChild ?? addBlock(tiles), tile, before);
  }

  /** Inserts or moves a line. It becomes the last one of the group if `next` is null or belongs to another group. */
  placeLine(line: HTMLElement, name: LineGroup, next: Element | null): void {
    const { lines } = this.#elementsOf(name);
    moveBefore(lines, line, lines.contains(next) ? next : null);
  }

  /** Fills the blocks again, and hides empty groups. Call it after elements were placed or removed. */
  refill(): void {
    for (const { group, tiles, lines } of this.#groups.values()) {
      for (let block = tiles.firstElementChild; block; block = block.nextElementSibling) fill(block);
      if (tiles.lastElementChild?.childElementCount === 0) tiles.lastElementChild.remove();
      group.hidden = tiles.childElementCount + lines.childElementCount === 0;
    }
  }

  /** Returns the containers of a group, each with the tiles or lines that it must contain. */
  containersFor(
    name: LineGroup,
    { tiles, lines }: { tiles: readonly HTMLElement[]; lines: readonly HTMLElement[] },
  ): [container: Element, elements: readonly Element[]][] {
    const elements = this.#elementsOf(name);
    const blocks = Array.from({ length: Math.ceil(tiles.length / BLOCK_TILES) }, (_, index): [Element, Element[]] => [
      elements.tiles.children.item(index) ?? addBlock(elements.tiles),
      tiles.slice(index * BLOCK_TILES, (index + 1) * BLOCK_TILES),
    ]);
    return [...blocks, [elements.lines, lines]];
  }

  #elementsOf(name: LineGroup): GroupElements {
    const elements = this.#groups.get(name);
    if (!elements) throw new RangeError(`The list has no group ${name}.`);
    return elements;
  }
}

function createGroup(name: LineGroup): GroupElements {
  const tiles = make('div', 'tiles');
  tiles.setAttribute('role', 'list');
  const lines = make('ul', 'lines');
  const group = make('div', 'group', tiles, lines);
  group.setAttribute('data-group', name);
  group.hidden = true;
  return { group, tiles, lines };
}

function addBlock(tiles: Element): HTMLElement {
  const block = make('div', 'block');
  tiles.append(block);
  return block;
}

/** Moves tiles between a block and the next ones until it is full, or until no tile follows. */
function fill(block: Element): void {
  const tiles = block.parentElement;
  if (!tiles) return;
  while (block.childElementCount > BLOCK_TILES && block.lastElementChild) {
    const next = block.nextElementSibling ?? addBlock(tiles);
    moveBefore(next, block.lastElementChild, next.firstElementChild);
  }
  while (block.childElementCount < BLOCK_TILES && block.nextElementSibling) {
    const next = block.nextElementSibling;
    if (next.firstElementChild) moveBefore(block, next.firstElementChild, null);
    else next.remove();
  }
  // From this number the style sheet estimates the height of a block that was never rendered.
  const count = String(block.childElementCount);
  if (!(block instanceof HTMLElement) || block.style.getPropertyValue('--tiles') === count) return;
  block.style.setProperty('--tiles', count);
}
