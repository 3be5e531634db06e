import type { Problem } from '../../api.ts';

/** Everything the page says. Sizes, durations and the like come in formatted. */
export interface Words {
  /** For `Intl` and the page's `lang`. */
  locale: string;
  /** Texts of index.html by their `data-words`; the page's own English stands where one is missing. */
  page: Readonly<Record<string, string>>;
  pictures(count: number): string;
  waiting: string;
  sending(received: string, total: string): string;
  retrying: string;
  queued(position: number | null): string;
  /** For a step of the processor, which may be one that the page has never heard of. */
  step(stage: string): string;
  attempt(attempt: number): string;
  finishing: string;
  cancelling: string;
  done: string;
  cancelled: string;
  timeLeft(duration: string): string;
  /** Why it has not worked, and what to do. */
  problem(problem: Problem): string;
  /** In place of what the server says of an upload that a reload has cut off. */
  cutOff: string;
  actions: { cancel(name: string): string; retry(name: string): string; remove(name: string): string };
  facts: { dimensions: string; format: string; camera: string; taken: string; colour: string };
  links: { open(name: string): string; variants: string; original: string; copy: string; copied: string; notCopied: string };
  summary(done: number, total: number, failed: number): string;
  progressOf(name: string): string;
  /** Document titles. */
  title: { idle: string; busy(percent: string): string; over(done: number): string };
  /** Spoken only. */
  spoken: { added(count: number): string; done(name: string): string; manyDone(count: number): string; failed(name: string, why: string): string };
}
