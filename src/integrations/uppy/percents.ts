import type { Body, Meta, UppyFile } from '@uppy/core';
import { RECEIVE_SHARE_PERCENT } from '../../wire/receive-share.ts';

/**
 * Returns the percent of a file from its first byte to its result.
 *
 * @param reported the newest percent of the service; undefined before the first one
 */
export function percentOf<M extends Meta, B extends Body>({ progress }: UppyFile<M, B>, reported?: number): number {
  if (progress.complete) return 100;
  if (progress.uploadComplete === true) return Math.max(RECEIVE_SHARE_PERCENT, reported ?? 0);
  if (!progress.bytesTotal) return 0;
  return RECEIVE_SHARE_PERCENT * Math.min(1, (progress.bytesUploaded || 0) / progress.bytesTotal);
}

/**
 * Returns the percent of all started files together. Large files weigh more, as in Uppy's own total. Undefined if no
 * file has started.
 */
export function totalPercent<M extends Meta, B extends Body>(
  files: readonly UppyFile<M, B>[],
  reported: (fileId: string) => number | undefined,
): number | undefined {
  let weights = 0;
  let sum = 0;
  for (const file of files) {
    const { uploadStarted, preprocess, postprocess, bytesTotal } = file.progress;
    if (!uploadStarted && !preprocess && !postprocess) continue;
    const weight = bytesTotal || 1;
    weights += weight;
    sum += weight * percentOf(file, reported(file.id));
  }
  return weights === 0 ? undefined : sum / weights;
}
