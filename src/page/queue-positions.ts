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
  for (const model of models) {
    const { progress } = model;
    if (model === mover || !isBusy(model) || !progress || progress.queuePosition === null) continue;
    if (progress.queuePosition <= Math.max(1, leftFrom)) continue;
    model.progress = { ...progress, queuePosition: progress.queuePosition - 1 };
    moved.push(model);
  }
  return moved;
}
