import { Random } from './random.ts';

/** How a file is sent: `PUT` under an id of the client's own, a form, or by tus. */
export type Way = 'put' | 'form' | 'tus';

/** What the client wants of its upload in the end; `stop` is a cancel while it still sends. */
export type Wish = 'keep' | 'cancel' | 'stop' | 'delete';

/** What one client does. */
export interface UploadPlan {
  readonly number: number;
  /** Since the start of the run. */
  readonly atMs: number;
  readonly way: Way;
  readonly wish: Wish;
  /** From what the wish is about to the wish: the acceptance, or for `stop` the first byte. */
  readonly wishAfterMs: number;
  readonly sizeBytes: number;
  /** The body comes in so many pieces, with pauses between them. */
  readonly pieces: number;
  /** Follows it from its first byte, not from its acceptance. */
  readonly followsEarly: boolean;
  /** By `/uploads/{id}/progress`, or by `/progress?upload=`. */
  readonly followsBy: 'one' | 'many';
  /** How long a poll may be held. */
  readonly holdMs: number;
  /** Of what the client itself does at random. */
  readonly seed: number;
}

/** Uploads begin over so much of the time. */
const BEGINNING = 0.9;

/** So many clients with what they do, in the order of their beginnings; the same seed gives the same. */
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
  const wish = wishOf(random.next(), way);
  return {
    number,
    atMs,
    way,
    wish,
    wishAfterMs: random.chance(0.5) ? random.between(0, 60) : random.between(0, 1500),
    sizeBytes: isSlow || wish === 'stop' ? random.between(60_000, 300_000) : random.between(1000, 8000),
    pieces: isSlow || wish === 'stop' ? random.between(3, 8) : 1,
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

function wishOf(drawn: number, way: Way): Wish {
  if (drawn < 0.06) return 'cancel';
  if (drawn < 0.12) return 'delete';
  // Only who chose the id knows it before the answer.
  return drawn < 0.16 && way === 'put' ? 'stop' : 'keep';
}
