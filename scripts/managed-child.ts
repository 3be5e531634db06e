import { BackOff } from './back-off.ts';
import { launchChild, type ChildEnd, type ChildLife, type ChildSpec } from './child-life.ts';

/** Callbacks for the owner of a child. */
export interface ChildHooks {
  onSpawn(pid: number): void;
  onReady(message: unknown): void;
  /** Called when the child has ended, for any reason. */
  onEnd(): void;
  /**
   * Called when the child has ended unexpectedly. If it returns true, the child is restarted, and `restart` is called
   * with the delay.
   */
  mayRestart(end: ChildEnd): boolean;
  onRestart(end: ChildEnd, inMs: number): void;
  /** Called when the child did not end within its grace and was killed. */
  onOverdue(): void;
}

/** Keeps one child running until it is stopped. */
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

  /** Starts the child. Call it once. */
  start(): void {
    if (this.#isStopping) return;
    const startedAt = performance.now();
    const life = launchChild(this.spec, (message) => this.#hooks.onReady(message));
    this.#life = life;
    if (life.pid !== undefined) this.#hooks.onSpawn(life.pid);
    void life.ended.then((end) => this.#afterEnd(end, performance.now() - startedAt));
  }

  /** Resolves when the child has ended and will not be restarted. May be called at any time and repeatedly. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    if (this.#life === undefined) return;
    if (!(await this.#life.end())) this.#hooks.onOverdue();
  }

  /** Kills the child at once. It is not restarted. */
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
