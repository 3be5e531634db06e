import type { Words } from './words.ts';

/** What comes within this time is said in one sentence: nobody can listen to two hundred. */
const GATHER_MS = 1000;

/** Tells those who listen to the page what those who see it see. */
export class Announcer {
  readonly #region: Element;
  readonly #words: Words;
  #done: string[] = [];
  #sentences: string[] = [];
  #scheduled = false;

  /** `region` is a live region. */
  constructor(region: Element, words: Words) {
    this.#region = region;
    this.#words = words;
  }

  added(count: number): void {
    this.#say(this.#words.spoken.added(count));
  }

  done(name: string): void {
    this.#done.push(name);
    this.#schedule();
  }

  failed(name: string, why: string): void {
    this.#say(this.#words.spoken.failed(name, why));
  }

  #say(sentence: string): void {
    this.#sentences.push(sentence);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    const { spoken } = this.#words;
    const [name] = this.#done;
    const sentences = this.#sentences.slice(0, 3);
    if (name !== undefined) sentences.push(this.#done.length === 1 ? spoken.done(name) : spoken.manyDone(this.#done.length));
    this.#region.textContent = sentences.join(' ');
    this.#done = [];
    this.#sentences = [];
    this.#scheduled = false;
  }
}
