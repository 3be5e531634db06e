import { isPictureFile } from './file-kinds.ts';
import type { LineModel, LineState } from './line-model.ts';

/** The groups of the list in the order in which they are shown. */
export const GROUPS = ['working', 'failed', 'done', 'cancelled'] as const;

/** A part of the list. `working`: unfinished, also while paused. `failed` includes lines that wait for their file. */
export type LineGroup = (typeof GROUPS)[number];

/** The lines that the user wants to see. */
export type Filter = 'all' | Exclude<LineGroup, 'cancelled'>;

const GROUP_OF: Readonly<Record<LineState, LineGroup>> = {
  waiting: 'working',
  sending: 'working',
  paused: 'working',
  working: 'working',
  stopped: 'failed',
  failed: 'failed',
  done: 'done',
  cancelled: 'cancelled',
};

/** Returns the group of a line in the given state. */
export function groupOf(state: LineState): LineGroup {
  return GROUP_OF[state];
}

/** The sort orders of finished pictures. */
export const SORTS = ['added', 'colour', 'taken'] as const;

/** `colour`: by the main colour, as in a rainbow. `taken`: by the time on the camera's clock. */
export type Sort = (typeof SORTS)[number];

/** The position of a line. Lines are compared member by member. */
export interface Rank {
  readonly group: number;
  /** By the chosen sort order. Infinity if the line has no such value. */
  readonly key: number;
  /** Number of lines that were added before. */
  readonly place: number;
}

/** Returns the position of a line in the list. */
export function rankOf(model: LineModel, state: LineState, { place, sort }: { place: number; sort: Sort }): Rank {
  const group = GROUPS.indexOf(groupOf(state));
  return { group, key: state === 'done' ? sortKey(model, sort) : 0, place };
}

/** Returns a negative number if `a` comes before `b`. */
export function compareRanks(a: Rank, b: Rank): number {
  return a.group - b.group || (a.key === b.key ? 0 : a.key - b.key) || a.place - b.place;
}

/** Returns the index after all items that do not come after the rank. The items must be sorted by their ranks. */
export function insertionIndex<T>(items: readonly T[], rankAt: (item: T) => Rank | undefined, rank: Rank): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const item = items[middle];
    const at = item === undefined ? undefined : rankAt(item);
    if (at && compareRanks(at, rank) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** From this number on pictures are shown as tiles. */
const GALLERY_FROM = 4;

/** True if there are enough pictures for a gallery. A gallery stays one until its last picture is gone. */
export function isGallery(models: Iterable<LineModel>, wasGallery: boolean): boolean {
  let pictures = 0;
  for (const model of models) if (isPicture(model)) pictures += 1;
  return pictures >= (wasGallery ? 1 : GALLERY_FROM);
}

/** True if the file is shown as a picture. The result decides, and before it the name and the media type. */
export function isPicture({ name, file, upload }: LineModel): boolean {
  if (upload?.result) return upload.result.kind === 'picture';
  return isPictureFile({ name, type: file?.type ?? '' });
}

function sortKey({ upload }: LineModel, sort: Sort): number {
  const result = upload?.result;
  if (sort === 'added') return 0;
  if (result?.kind !== 'picture') return Infinity;
  if (sort === 'colour') return hueKey(result.dominantColour);
  const takenAtMs = Date.parse(`${(result.takenAt ?? '').slice(0, 19)}Z`);
  return Number.isNaN(takenAtMs) ? Infinity : takenAtMs;
}

/** Below this saturation a colour looks grey, and its hue means nothing. */
const GREY_BELOW = 0.12;

/** Returns a key for sorting: 0 to 360 for hues from red over green and blue to pink, then greys from light to dark. */
export function hueKey(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  if (red === undefined || green === undefined || blue === undefined || Number.isNaN(red + green + blue))
    return Infinity;
  const max = Math.max(red, green, blue);
  const range = max - Math.min(red, green, blue);
  if (max === 0 || range / max < GREY_BELOW) return 1000 - max;
  if (max === red) return ((60 * (green - blue)) / range + 360) % 360;
  return max === green ? 120 + (60 * (blue - red)) / range : 240 + (60 * (red - green)) / range;
}
