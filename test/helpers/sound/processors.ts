import type { Config } from '../../../src/settings/config.ts';
import { createPictureProcessor } from '../../../workers/picture/processor.ts';
import { pictureKind } from '../../../src/kinds/picture.ts';
import { createProcessorTable, processorEntry, type ProcessorTable } from '../../../workers/processors.ts';
import { sound } from './kind.ts';
import { createSoundProcessor } from './processor.ts';

/** Replaces `createProcessors`, with one more line for the further processor. */
export function createSoundProcessors(config: Config): ProcessorTable {
  const picture = pictureKind({ defaults: config.pictureOptions });
  return createProcessorTable([
    processorEntry(picture, createPictureProcessor({}, picture)),
    processorEntry(sound, createSoundProcessor()),
  ]);
}
