import type { Words } from './words.ts';

/** Messages within this time are read out together. */
const GATHER_MS = 1000;
/** Pause between two messages about finished uploads, so that 200 uploads do not cause 200 messages. */
const BETWEEN_MS = 8000;

/** Announces changes of the list to screen readers, several changes in one message. */
export class Announcer {
  readonly #region: Element;
  readonly #words: Words;
  readonly #done: { name: string; hasNotes: boolean }[] = [];
  readonly #failed: { name: string; reason: string }[] = [];
  #added = 0;
  #announcedAtMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param region an ARIA live region. */
  constructor(region: Element, words: Words) {
    this.#region = region;
    this.#words = words;
  }

  /** Announces added files soon, because the user waits for a reaction. */
  added(count: number): void {
    this.#added += count;
    this.#announceWithin(GATHER_MS);
  }

  done(name: string, hasNotes: boolean): void {
    this.#done.push({ name, hasNotes });
    this.#announceLater();
  }

  failed(name: string, reason: string): void {
    this.#failed.push({ name, reason });
    this.#announceLater();
  }

  /** Announces the remaining messages soon, because no upload is running any more. */
  settled(): void {
    if (this.#done.length + this.#failed.length > 0) this.#announceWithin(GATHER_MS);
  }

  #announceLater(): void {
    if (this.#timer === undefined)
      this.#announceWithin(Math.max(GATHER_MS, this.#announcedAtMs + BETWEEN_MS - performance.now()));
  }

  #announceWithin(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#announce(), delayMs);
  }

  #announce(): void {
    this.#timer = undefined;
    this.#announcedAtMs = performance.now();
    this.#region.textContent = this.#sentences().join(' ');
    this.#added = 0;
    this.#done.length = 0;
    this.#failed.length = 0;
  }

  #sentences(): string[] {
    const { spoken } = this.#words;
    const sentences = this.#added > 0 ? [spoken.added(this.#added)] : [];
    const [done] = this.#done;
    if (done)
      sentences.push(
        this.#done.length === 1 ? spoken.done(done.name, done.hasNotes) : spoken.manyDone(this.#done.length),
      );
    const [failed] = this.#failed;
    if (failed)
      sentences.push(
        this.#failed.length === 1 ? spoken.failed(failed.name, failed.reason) : spoken.manyFailed(this.#failed.length),
      );
    return sentences;
  }
}
