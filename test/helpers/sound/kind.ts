import { z } from 'zod';
import type { Kind } from '../../../src/kinds/kind.ts';

/** The options of a sound. */
export const soundOptionsSchema = z.strictObject({
  peaks: z.int().min(1).max(1000).default(4).describe('How many of them.'),
});

type SoundOptions = z.infer<typeof soundOptionsSchema>;

/** A file kind that the service does not have: WAV files. */
export const sound: Kind<SoundOptions> = {
  name: 'sound',
  types: ['audio/wav'],
  options: soundOptionsSchema,
  variantNames: () => ['peaks.json'],
  advice: { 'audio/flac': 'Save the sound as WAV.' },
};
