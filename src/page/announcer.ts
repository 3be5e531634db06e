import type { Words } from './words.ts';

/** What comes within this time is said in one sentence. */
const GATHER_MS = 1000;
/** Left between two sentences about what ends by itself: nobody can listen to two hundred. */
const BETWEEN_MS = 8000;

/** Tells those who listen to the page what those who see it see. */
export class Announcer {
  readonly #region: Element;
  readonly #words: Words;
  readonly #done: string[] = [];
  readonly #failed: { name: string; why: string }[] = [];
  #added = 0;
  #spokeAtMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `region` is a live region. */
  constructor(region: Element, words: Words) {
    this.#region = region;
    this.#words = words;
  }

  /** What a person has just done is answered soon. */
  added(count: number): void {
    this.#added += count;
    this.#sayWithin(GATHER_MS);
  }

  done(name: string): void {
    this.#done.push(name);
    this.#sayLater();
  }

  failed(name: string, why: string): void {
    this.#failed.push({ name, why });
    this.#sayLater();
  }

  /** Nothing is going on any more: what is left is said soon. */
  settled(): void {
    if (this.#done.length + this.#failed.length > 0) this.#sayWithin(GATHER_MS);
  }

  #sayLater(): void {
    if (this.#timer === undefined)
      this.#sayWithin(Math.max(GATHER_MS, this.#spokeAtMs + BETWEEN_MS - performance.now()));
  }

  #sayWithin(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), delayMs);
  }

  #say(): void {
    this.#timer = undefined;
    this.#spokeAtMs = performance.now();
    this.#region.textContent = this.#sentences().join(' ');
    this.#added = 0;
    this.#done.length = 0;
    this.#failed.length = 0;
  }

  #sentences(): string[] {
    const { spoken } = this.#words;
    const sentences = this.#added > 0 ? [spoken.added(this.#added)] : [];
    const [done] = this.#done;
    if (done !== undefined)
      sentences.push(this.#done.length === 1 ? spoken.done(done) : spoken.manyDone(this.#done.length));
    const [failed] = this.#failed;
    if (failed)
      sentences.push(
        this.#failed.length === 1 ? spoken.failed(failed.name, failed.why) : spoken.manyFailed(this.#failed.length),
      );
    return sentences;
  }
}
