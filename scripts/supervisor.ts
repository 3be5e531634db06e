import type { ChildEnd, ChildSpec } from './child-life.ts';
import { forgetPid, notePid } from './leftovers.ts';
import { ManagedChild, type ChildHooks } from './managed-child.ts';

/**
 * The exit code for a wrong setting (EX_CONFIG of sysexits). A restart cannot fix it, and the child has logged which
 * setting it is.
 */
const EX_CONFIG = 78;
const EX_KILLED = 130;

/** A child may fail this often before it was ready. With the back-off that takes about 25 seconds. */
const MOST_FAILED_STARTS = 8;

/** The part of a logger that a supervisor uses. A logger of pino has it. */
export interface SupervisorLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SupervisorOptions {
  /**
   * Children that are started before the others and stopped after them. If one never comes up, everything stops with
   * exit code 1.
   */
  readonly foundation: readonly ChildSpec[];
  /** The children, in the order in which they are stopped. Neighbours of one role stop together. */
  readonly children: readonly ChildSpec[];
  /** Children that `startReserve` starts. They are stopped after `children`. */
  readonly reserve?: readonly ChildSpec[];
  readonly log: SupervisorLog;
  /** The directory in which pids are recorded for `endLeftovers` of the next run. Undefined: nowhere. */
  readonly pidDirectory?: string;
  /** A child that dies this often before it is up stops everything with exit code 1. Default: 8. */
  readonly mostFailedStarts?: number;
  /** Called every time a child comes up, also after a restart. */
  readonly onReady?: (name: string, message: unknown) => void;
}

/** Starts processes in order, restarts dead ones, and stops them in order. No process is left over. */
export class Supervisor {
  /**
   * Resolves with the exit code when the last child has ended: 0, 1 if a child does not start, 78 after a wrong
   * setting, 130 after `kill`.
   */
  readonly finished: Promise<number>;
  readonly #options: SupervisorOptions;
  readonly #foundation: readonly ManagedChild[];
  readonly #children: readonly ManagedChild[];
  readonly #reserve: readonly ManagedChild[];
  #isReserveStarted = false;
  readonly #wasReady = new Set<string>();
  readonly #failedStarts = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #isStopping = false;
  #exitCode = 0;
  #finish: (exitCode: number) => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    this.#foundation = options.foundation.map((spec) => this.#manage(spec));
    this.#children = options.children.map((spec) => this.#manage(spec));
    this.#reserve = (options.reserve ?? []).map((spec) => this.#manage(spec));
  }

  /** Resolves with true when every child has come up once, with false if it was stopped before. Call it once. */
  async start(): Promise<boolean> {
    return (await this.#startAll(this.#foundation)) && (await this.#startAll(this.#children));
  }

  /** Starts the children of the reserve, at the first call. */
  startReserve(): void {
    if (this.#isStopping || this.#isReserveStarted) return;
    this.#isReserveStarted = true;
    for (const child of this.#reserve) child.start();
  }

  /** Resolves when all children have ended. Only the exit code of the first call counts. */
  async stop(exitCode = 0): Promise<void> {
    if (this.#isStopping) {
      await this.finished;
      return;
    }
    this.#isStopping = true;
    this.#exitCode = exitCode;
    this.#wake();
    for (const batch of [
      ...inBatches([...this.#children, ...this.#reserve]),
      ...inBatches(this.#foundation).reverse(),
    ]) {
      await Promise.all(batch.map((child) => child.stop()));
    }
    this.#finish(this.#exitCode);
  }

  /** Kills all children at once. All SIGKILLs are sent when it returns, so an exit handler may call it. */
  kill(): void {
    for (const child of [...this.#children, ...this.#reserve, ...this.#foundation]) child.kill();
    void this.stop();
    this.#exitCode = EX_KILLED;
  }

  async #startAll(children: readonly ManagedChild[]): Promise<boolean> {
    if (this.#isStopping) return false;
    for (const child of children) child.start();
    while (!this.#isStopping && !children.every(({ spec }) => this.#wasReady.has(spec.name))) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return !this.#isStopping;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #manage(spec: ChildSpec): ManagedChild {
    const { log, pidDirectory, onReady } = this.#options;
    const hooks: ChildHooks = {
      onSpawn: (pid) => pidDirectory && notePid(pidDirectory, spec.name, pid, 'type' in spec.ready),
      onEnd: () => pidDirectory && forgetPid(pidDirectory, spec.name),
      onReady: (message) => {
        this.#wasReady.add(spec.name);
        this.#wake();
        onReady?.(spec.name, message);
      },
      mayRestart: (end) => this.#mayRestart(spec, end),
      onRestart: ({ code, signal }, restartInMs) =>
        log.warn({ child: spec.name, code, signal, restartInMs }, 'child died, will be restarted'),
      onOverdue: () => log.warn({ child: spec.name, graceMs: spec.graceMs }, 'child killed, it did not stop in time'),
    };
    return new ManagedChild(spec, hooks);
  }

  #mayRestart(spec: ChildSpec, { code, signal, output }: ChildEnd): boolean {
    if (code === EX_CONFIG) return this.#giveUp(EX_CONFIG);
    if (this.#wasReady.has(spec.name)) return true;
    const starts = (this.#failedStarts.get(spec.name) ?? 0) + 1;
    this.#failedStarts.set(spec.name, starts);
    const { foundation, mostFailedStarts = MOST_FAILED_STARTS, log } = this.#options;
    if (!foundation.includes(spec) && starts < mostFailedStarts) return true;
    log.error({ child: spec.name, code, signal, starts, output }, 'child did not start');
    return this.#giveUp(1);
  }

  #giveUp(exitCode: number): false {
    void this.stop(exitCode);
    return false;
  }
}

function inBatches(children: readonly ManagedChild[]): ManagedChild[][] {
  const batches: ManagedChild[][] = [];
  for (const child of children) {
    const last = batches.at(-1);
    if (last?.[0]?.spec.role === child.spec.role) last.push(child);
    else batches.push([child]);
  }
  return batches;
}
