import { isBusy, type LineModel } from './line-model.ts';

/**
 * To be called before `progress` replaces that of `mover`. Positions are computed when a record is
 * read and do not move it, so the server has no reason to tell of them again: when a
 * picture of this page leaves the queue, those behind it move up here. Returns the ones that did.
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
