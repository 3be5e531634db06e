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
 * Moves queued uploads of this page back that are at the place of another one, and returns them. Each position was true
 * when it was reported, but not all were reported at the same time.
 */
export function separatePositions(models: Iterable<LineModel>): LineModel[] {
  const moved: LineModel[] = [];
  let last = 0;
  for (const { model, progress, queuePosition } of [...queued(models)].sort(
    (a, b) => a.queuePosition - b.queuePosition,
  )) {
    last = Math.max(queuePosition, last + 1);
    if (last === queuePosition) continue;
    model.progress = { ...progress, queuePosition: last };
    moved.push(model);
  }
  return moved;
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
