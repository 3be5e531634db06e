import { groupOf, type LineGroup } from './line-order.ts';
import { isBusy, isDelivered, type LineModel, percentOf, sentBytesOf, stateOf } from './line-model.ts';

/** Added to the size of each file when the mean is computed, because a small file must be processed too. */
const PROCESSING_WEIGHT_BYTES = 500_000;

/** The numbers above the list. */
export interface Summary {
  total: number;
  /** Number of lines in each group. `failed` includes lines that wait for their file, but no cancelled uploads. */
  groups: Readonly<Record<LineGroup, number>>;
  /** Unfinished uploads that are not paused. */
  busy: number;
  /** Unfinished uploads that can be paused. */
  pausable: number;
  paused: number;
  /** Mean of all lines by their sizes. A finished, failed or cancelled upload counts as 100. */
  percent: number;
  /** Bytes of the lines that are unfinished or done. */
  bytes: { sent: number; total: number };
  /** The longest remaining time of a single upload; 0 if none is known. */
  slowestMs: number;
}

/** Computes the numbers above the list. */
export function summarise(models: readonly LineModel[]): Summary {
  const groups: Record<LineGroup, number> = { working: 0, failed: 0, done: 0, cancelled: 0 };
  const bytes = { sent: 0, total: 0 };
  let weightedPercent = 0;
  let weights = 0;
  let slowestMs = 0;
  for (const model of models) {
    const group = groupOf(stateOf(model));
    const weight = model.sizeBytes + PROCESSING_WEIGHT_BYTES;
    groups[group] += 1;
    weights += weight;
    weightedPercent += weight * (group === 'working' ? (percentOf(model) ?? 0) : 100);
    if (group === 'working') slowestMs = Math.max(slowestMs, model.progress?.etaMs ?? 0);
    if (group === 'working' || group === 'done') {
      bytes.sent += sentBytesOf(model);
      bytes.total += model.sizeBytes;
    }
  }
  const busy = models.filter(isBusy);
  const paused = busy.filter((model) => model.phase === 'paused').length;
  return {
    total: models.length,
    groups,
    busy: busy.length - paused,
    pausable: busy.filter((model) => model.file !== null && !isDelivered(model)).length - paused,
    paused,
    percent: weights === 0 ? 0 : weightedPercent / weights,
    bytes,
    slowestMs,
  };
}
