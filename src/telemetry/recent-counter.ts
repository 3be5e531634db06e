const STEPS = 60;

/** Counts events of the last 60 seconds, second by second, or of the last 60 of any other step. */
export class RecentCounter {
  readonly #counts = new Uint32Array(STEPS);
  readonly #stepMs: number;
  readonly #nowMs: () => number;
  #step: number;

  /** @param nowMs a monotonic clock. */
  constructor(stepMs = 1000, nowMs: () => number = () => performance.now()) {
    this.#stepMs = stepMs;
    this.#nowMs = nowMs;
    this.#step = this.#present();
  }

  add(): void {
    this.#forget();
    const index = this.#step % STEPS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  get total(): number {
    this.#forget();
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** The counts of the 60 steps, the oldest first. */
  get series(): number[] {
    this.#forget();
    return Array.from({ length: STEPS }, (_, index) => this.#counts[(this.#step + 1 + index) % STEPS] ?? 0);
  }

  #forget(): void {
    const present = this.#present();
    const passed = Math.min(STEPS, present - this.#step);
    for (let back = 0; back < passed; back += 1) this.#counts[(present - back) % STEPS] = 0;
    this.#step = present;
  }

  #present(): number {
    return Math.floor(this.#nowMs() / this.#stepMs);
  }
}
