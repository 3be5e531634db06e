/** Numbers that look random, and are the same again for the same seed (mulberry32). */
export class Random {
  #state: number;

  /** @param seed a whole number; its lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number; both ends may come. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True in so many cases of one. */
  chance(fraction: number): boolean {
    return this.next() < fraction;
  }

  /** Throws for an empty list. */
  pick<T>(list: readonly T[]): T {
    const [picked] = list.slice(this.between(0, list.length - 1));
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** The same members in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((member) => ({ member, place: this.next() }))
      .sort((left, right) => left.place - right.place)
      .map(({ member }) => member);
  }
}
