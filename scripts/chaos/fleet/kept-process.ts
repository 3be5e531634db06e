import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startProcess, type ServiceProcess } from '../../../test/helpers/service.ts';

/** Shifts the clock of a process by `CLOCK_OFFSET_MS` of its environment. */
const CLOCK = resolve('test/helpers/clock-apart.mjs');

const RESTART_AFTER_MS = 100;
/** An end that comes so soon after a fault is that fault's. */
const FAULT_COUNTS_MS = 30_000;

/** How a process is begun. */
export interface KeptSpec {
  readonly name: string;
  /** The path of its entry. */
  readonly entry: string;
  readonly env: Record<string, string>;
  /** Told of each new process, with its address where it has one. */
  onUp(url: string): void;
}

/** One process of the service that is begun again whenever it ends, as a supervisor does. */
export class KeptProcess {
  readonly name: string;
  readonly #spec: KeptSpec;
  readonly #unasked: string[] = [];
  readonly #ended: ServiceProcess[] = [];
  #current: ServiceProcess | undefined;
  #loop: Promise<void> | undefined;
  #isStopping = false;
  #starts = 0;
  #faultAtMs = -Infinity;

  constructor(spec: KeptSpec) {
    this.name = spec.name;
    this.#spec = spec;
  }

  /** The process that takes requests or jobs now. */
  get current(): ServiceProcess | undefined {
    return this.#current;
  }

  get starts(): number {
    return this.#starts;
  }

  /** Ends that no fault explains, each with the last words of the process. */
  get unasked(): readonly string[] {
    return this.#unasked;
  }

  /** Everything its processes have written that holds the word. */
  linesWith(word: string): string[] {
    const all = [...this.#ended, ...(this.#current === undefined ? [] : [this.#current])];
    return all.flatMap((one) => one.output().split('\n')).filter((line) => line.includes(word));
  }

  start(): void {
    this.#loop = this.#keep();
  }

  /** Sends a signal as a fault does. False where there is nobody to hear it, since it is just being begun. */
  signal(signal: NodeJS.Signals): boolean {
    this.#faultAtMs = performance.now();
    return this.#current?.child.kill(signal) === true;
  }

  /** Wakes it where it is paused, so that it can hear, and ends it for good. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#current?.child.kill('SIGCONT');
    await this.#current?.end('SIGTERM');
    await this.#loop;
  }

  async #keep(): Promise<void> {
    while (!this.#isStopping) {
      const started = await this.#begin();
      if (started === undefined) continue;
      await this.#untilEnded(started);
      if (!this.#isStopping) await delay(RESTART_AFTER_MS);
    }
  }

  async #begin(): Promise<ServiceProcess | undefined> {
    try {
      this.#starts += 1;
      const started = await startProcess(this.#spec.entry, this.#spec.env, ['--import', CLOCK]);
      this.#current = started;
      this.#spec.onUp(started.url);
      // It was told to stop while it was being begun.
      if (this.#isStopping) await started.end('SIGTERM');
      return started;
    } catch (error) {
      if (!this.#isExplained()) this.#unasked.push(`${this.name}: ${String(error)}`);
      await delay(RESTART_AFTER_MS);
      return undefined;
    }
  }

  async #untilEnded(started: ServiceProcess): Promise<void> {
    const { child } = started;
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve));
    this.#current = undefined;
    this.#ended.push(started);
    if (!this.#isExplained())
      this.#unasked.push(`${this.name} ended (${child.signalCode ?? child.exitCode}): ${started.output().slice(-500)}`);
  }

  #isExplained(): boolean {
    return this.#isStopping || performance.now() - this.#faultAtMs < FAULT_COUNTS_MS;
  }
}
