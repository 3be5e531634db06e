import type { Progress } from '../wire/documents.ts';
import { isTable } from './file-kinds.ts';
import { isBusy, type LineModel } from './line-model.ts';
import { isPicture } from './line-order.ts';

/**
 * Moves up the queued uploads of this page behind an upload that leaves the queue, and returns them. Call it before the
 * progress of `mover` is replaced. The server does not report these changes, because a queue position is computed when
 * a record is read and does not change its version.
 */
export function moveUpBehind(mover: LineModel, models: Iterable<LineModel>): LineModel[] {
  const lastKnown = mover.progress?.queuePosition ?? null;
  if (lastKnown === null) return [];
  const others = [...queuedBeside(mover, models)];
  const shown = new Set(others.flatMap(({ model, queuePosition }) => (model.isPositionOld ? [] : [queuePosition])));
  // If others have reported the position of `mover` since, it was further ahead when it left.
  let leftFrom = lastKnown;
  while (shown.has(leftFrom)) leftFrom -= 1;
  if (leftFrom === 0) return [];
  const behind = others.filter(({ queuePosition }) => queuePosition > leftFrom);
  for (const { model, progress, queuePosition } of behind)
    model.progress = { ...progress, queuePosition: queuePosition - 1 };
  return behind.map(({ model }) => model);
}

/**
 * Marks the positions of other uploads as old if `newest` has just reported the same position. Returns these uploads.
 */
export function markOldPositions(newest: LineModel, models: Iterable<LineModel>): LineModel[] {
  const reported = newest.progress?.queuePosition ?? null;
  if (reported === null) return [];
  const old = [...queuedBeside(newest, models)]
    .filter(({ model, queuePosition }) => queuePosition === reported && !model.isPositionOld)
    .map(({ model }) => model);
  for (const model of old) model.isPositionOld = true;
  return old;
}

/** Yields the other queued uploads of the same kind, because each kind has a queue of its own. */
function* queuedBeside(
  one: LineModel,
  models: Iterable<LineModel>,
): Generator<{ model: LineModel; progress: Progress; queuePosition: number }> {
  const kind = kindOf(one);
  for (const model of models) {
    const { progress } = model;
    if (model === one || !isBusy(model) || !progress || progress.queuePosition === null) continue;
    if (kindOf(model) === kind) yield { model, progress, queuePosition: progress.queuePosition };
  }
}

function kindOf(model: LineModel): 'table' | 'picture' | 'other' {
  if (isTable(model)) return 'table';
  return isPicture(model) ? 'picture' : 'other';
}
