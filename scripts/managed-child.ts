import { BackOff } from './back-off.ts';
import { launchChild, type ChildEnd, type ChildLife, type ChildSpec } from './child-life.ts';

/** What the owner of a child hears of it. */
export interface ChildHooks {
  onSpawn(pid: number): void;
  onReady(message: unknown): void;
  /** It ended, asked or unasked. */
  onEnd(): void;
  /** It ended unasked. True has it started again; `restart` is told when. */
  mayRestart(end: ChildEnd): boolean;
  onRestart(end: ChildEnd, inMs: number): void;
  /** It did not end within its grace and was killed. */
  onOverdue(): void;
}

/** Keeps one child alive until it is told to stop. */
export class ManagedChild {
  readonly spec: ChildSpec;
  readonly #hooks: ChildHooks;
  readonly #backOff = new BackOff();
  #life: ChildLife | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(spec: ChildSpec, hooks: ChildHooks) {
    this.spec = spec;
    this.#hooks = hooks;
  }

  /** Spawns it. Call once. */
  start(): void {
    if (this.#isStopping) return;
    const startedAt = performance.now();
    const life = launchChild(this.spec, (message) => this.#hooks.onReady(message));
    this.#life = life;
    if (life.pid !== undefined) this.#hooks.onSpawn(life.pid);
    void life.ended.then((end) => this.#afterEnd(end, performance.now() - startedAt));
  }

  /** Resolves when it is gone for good. Safe to call at any time, and twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    if (this.#life === undefined) return;
    if (!(await this.#life.end())) this.#hooks.onOverdue();
  }

  /** Ends it at once, without a word; it is not started again. */
  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    this.#life?.kill();
  }

  #afterEnd(end: ChildEnd, livedMs: number): void {
    this.#life = undefined;
    this.#hooks.onEnd();
    if (this.#isStopping || !this.#hooks.mayRestart(end)) return;
    const inMs = this.#backOff.nextDelayMs(livedMs);
    this.#restartTimer = setTimeout(() => this.start(), inMs);
    this.#hooks.onRestart(end, inMs);
  }
}
