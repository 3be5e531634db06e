/** A pseudo-random generator that repeats its numbers for the same seed (mulberry32). */
export class Random {
  #state: number;

  /** @param seed an integer, of which the lower 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Returns true with this probability. */
  chance(fraction: number): boolean {
    return this.next() < fraction;
  }

  /** Returns a member. Throws for an empty list. */
  pick<T>(list: readonly T[]): T {
    const [picked] = list.slice(this.between(0, list.length - 1));
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** Returns the members in random order. */
  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((member) => ({ member, place: this.next() }))
      .sort((left, right) => left.place - right.place)
      .map(({ member }) => member);
  }
}
