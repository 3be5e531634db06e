import type { PictureResult } from '../../src/wire/documents.ts';
import { pictureKind } from '../../src/kinds/picture.ts';
import { PASSED_TIME } from '../charged-time.ts';
import type { Processor, Step } from '../processor.ts';
import { TYPICAL_COSTS } from './costs.ts';
import { decode } from './decode.ts';
import { dominantColour } from './dominant-colour.ts';
import { createHeicReader } from './heic/heic-reader.ts';
import { inspect } from './inspect.ts';
import { PICTURE_LIMITS, type PictureLimits } from './limits.ts';
import { perceptualHash } from './perceptual-hash.ts';
import { createPictureState, type PictureState } from './state.ts';
import { AbandonedCalls } from './step-bounds.ts';
import { thumbhash } from './thumbhash.ts';
import type { PictureTools } from './tools.ts';
import { variants } from './variants.ts';

/**
 * Creates the processor for pictures, with its steps in order. Weights are milliseconds of one thread, estimated by
 * `inspect`.
 * @param heicEntry the compiled module of the thread that reads HEIC
 */
export function createPictureProcessor(
  limits: Partial<PictureLimits> = {},
  kind = pictureKind(),
  clock = PASSED_TIME,
  heicEntry = new URL('./heic/thread.js', import.meta.url),
): Processor<PictureState, PictureResult> {
  const tools: PictureTools = {
    limits: { ...PICTURE_LIMITS, ...limits },
    clock,
    abandoned: new AbandonedCalls(),
    heic: createHeicReader(heicEntry),
  };
  return {
    kind: kind.name,
    steps: [
      { name: 'inspect', weight: 1, run: inspect(tools, (options) => kind.options.parse(options)) },
      { name: 'decode', weight: ({ costs }) => costs.orElse(TYPICAL_COSTS).decode, run: decode(tools) },
      {
        name: 'variants',
        weight: ({ costs }) => costs.orElse(TYPICAL_COSTS).variants,
        run: inTurn(variants(tools), ...factSteps(tools), published),
      },
    ],
    begin: createPictureState,
    abandonedCalls: () => tools.abandoned.count,
    result: (state) => ({
      kind: 'picture',
      ...state.facts.get(),
      dominantColour: state.dominantColour.get(),
      thumbhash: state.thumbhash.get(),
      perceptualHash: state.perceptualHash.get(),
      warnings: state.warnings,
      variants: state.variants.get(),
    }),
  };
}

type Run = Step<PictureState>['run'];

function inTurn(...runs: readonly Run[]): Run {
  return async (state, context) => {
    for (const run of runs) await run(state, context);
  };
}

/**
 * Returns three runs that share one step, because they take only 2 ms together. The last variant is being stored while
 * they run.
 */
function factSteps(tools: PictureTools): Run[] {
  return [thumbhash(tools), perceptualHash, dominantColour];
}

async function published(state: PictureState): Promise<void> {
  state.variants.set(await Promise.all(state.publishing.get()));
}
