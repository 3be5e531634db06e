import { formatDeadline } from './format.ts';
import type { LineModel } from './line-model.ts';
import type { Words } from './words.ts';

/** Says how long finished files are kept and who can open them; empty without finished files. */
export function keptNote(models: readonly LineModel[], words: Words, nowMs: number): string {
  const endsMs = models.flatMap(({ upload }) => (upload?.expiresAt ? [Date.parse(upload.expiresAt)] : []));
  return endsMs.length === 0 ? '' : words.kept(formatDeadline(Math.min(...endsMs), nowMs, words.locale));
}
