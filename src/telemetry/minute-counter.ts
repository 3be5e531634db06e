const SECONDS = 60;

/** Counts events of the last 60 seconds, with a resolution of one second. */
export class MinuteCounter {
  readonly #counts = new Uint32Array(SECONDS);
  readonly #nowMs: () => number;
  #second: number;

  /** @param nowMs a monotonic clock. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#second = this.#present();
  }

  add(): void {
    this.#forget();
    const index = this.#second % SECONDS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  get total(): number {
    this.#forget();
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #forget(): void {
    const present = this.#present();
    const passed = Math.min(SECONDS, present - this.#second);
    for (let back = 0; back < passed; back += 1) this.#counts[(present - back) % SECONDS] = 0;
    this.#second = present;
  }

  #present(): number {
    return Math.floor(this.#nowMs() / 1000);
  }
}
