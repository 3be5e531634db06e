import type { Progress } from '../wire/documents.ts';
import { isBusy, type LineModel } from './line-model.ts';

/**
 * Moves up the queued uploads of this page behind an upload that leaves the queue, and returns them. Call it before the
 * progress of `mover` is replaced. The server does not report these changes, because a queue position is computed when
 * a record is read and does not change its version.
 */
export function moveUpBehind(mover: LineModel, models: Iterable<LineModel>): LineModel[] {
  const leftFrom = mover.progress?.queuePosition ?? null;
  if (leftFrom === null) return [];
  const moved: LineModel[] = [];
  for (const { model, progress, queuePosition } of queued(models)) {
    if (model === mover || queuePosition <= Math.max(1, leftFrom)) continue;
    model.progress = { ...progress, queuePosition: queuePosition - 1 };
    moved.push(model);
  }
  return moved;
}

/**
 * Removes the position of other uploads at the position that `newest` has reported, and returns them. It is out of
 * date, because it was reported earlier.
 */
export function forgetOldPositions(newest: LineModel, models: Iterable<LineModel>): LineModel[] {
  const forgotten: LineModel[] = [];
  for (const { model, progress, queuePosition } of queued(models)) {
    if (model === newest || queuePosition !== newest.progress?.queuePosition) continue;
    model.progress = { ...progress, queuePosition: null };
    forgotten.push(model);
  }
  return forgotten;
}

function* queued(
  models: Iterable<LineModel>,
): Generator<{ model: LineModel; progress: Progress; queuePosition: number }> {
  for (const model of models) {
    const { progress } = model;
    if (!isBusy(model) || !progress || progress.queuePosition === null) continue;
    yield { model, progress, queuePosition: progress.queuePosition };
  }
}
