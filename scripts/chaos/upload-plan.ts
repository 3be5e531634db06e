import { Random } from './random.ts';

/** How a file is sent: `PUT` with an id of the client, a form, or tus. */
type Way = 'put' | 'form' | 'tus';

/** What the client wants for its upload. `stop` is a cancel while it is still being sent. */
type Intent = 'keep' | 'cancel' | 'stop' | 'delete';

/** The plan of one client. */
export interface UploadPlan {
  readonly number: number;
  /** Time since the start of the run. */
  readonly atMs: number;
  readonly way: Way;
  readonly intent: Intent;
  /** Delay of the intent after the acceptance, or after the first byte for `stop`. */
  readonly intentAfterMs: number;
  readonly sizeBytes: number;
  /** The body is sent in this many pieces, with pauses between them. */
  readonly pieces: number;
  /** True: follows the upload from its first byte. False: from its acceptance. */
  readonly followsEarly: boolean;
  /** How the client follows: by `/uploads/{id}/progress` (`one`), or by `/progress?upload=` (`many`). */
  readonly followsBy: 'one' | 'many';
  /** How long a poll may be held. */
  readonly holdMs: number;
  /** The seed of the client's own random choices. */
  readonly seed: number;
}

/** Uploads start during this fraction of the run. */
const BEGINNING = 0.9;

/** Plans all clients in the order of their starts. The same seed gives the same plan. */
export function planUploads({ uploads, seconds }: { uploads: number; seconds: number }, seed: number): UploadPlan[] {
  const random = new Random(seed ^ 0x5bd1e995);
  const times = Array.from({ length: uploads }, () => Math.round(random.next() * seconds * 1000 * BEGINNING)).sort(
    (a, b) => a - b,
  );
  return times.map((atMs, number) => planOne(random, number, atMs));
}

function planOne(random: Random, number: number, atMs: number): UploadPlan {
  const way = wayOf(random.next());
  const isSlow = random.chance(0.1);
  const intent = intentOf(random.next(), way);
  return {
    number,
    atMs,
    way,
    intent,
    intentAfterMs: random.chance(0.5) ? random.between(0, 60) : random.between(0, 1500),
    sizeBytes: isSlow || intent === 'stop' ? random.between(60_000, 300_000) : random.between(1000, 8000),
    pieces: isSlow || intent === 'stop' ? random.between(3, 8) : 1,
    followsEarly: random.chance(0.4),
    followsBy: random.chance(0.7) ? 'one' : 'many',
    holdMs: random.between(1000, 6000),
    seed: random.between(0, 2 ** 31),
  };
}

function wayOf(drawn: number): Way {
  if (drawn < 0.6) return 'put';
  return drawn < 0.85 ? 'form' : 'tus';
}

function intentOf(drawn: number, way: Way): Intent {
  if (drawn < 0.06) return 'cancel';
  if (drawn < 0.12) return 'delete';
  // Only a client that chose the id of its upload can stop it, because others do not know the id before the answer.
  return drawn < 0.16 && way === 'put' ? 'stop' : 'keep';
}
