import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from '../../../test/helpers/patience.ts';
import { startProcess, type ServiceProcess } from '../../../test/helpers/service.ts';

/** The module that shifts the clock of a process by the environment variable `CLOCK_OFFSET_MS`. */
const CLOCK = resolve('test/helpers/clock-apart.mjs');

const RESTART_AFTER_MS = 100;
/** An exit within this time after a fault is caused by the fault. */
const FAULT_COUNTS_MS = patienceMs(30_000);

/** The parameters with which a process is started. */
interface KeptSpec {
  readonly name: string;
  /** The path of its entry. */
  readonly entry: string;
  readonly env: Record<string, string>;
  /** Called for each new process, with its address if it has one. */
  onUp(url: string): void;
}

/** One process of the service that is restarted whenever it ends, as a supervisor does. */
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

  /** The process that currently takes requests or jobs. */
  get current(): ServiceProcess | undefined {
    return this.#current;
  }

  get starts(): number {
    return this.#starts;
  }

  /** The exits that no fault explains, each with the last output of the process. */
  get unasked(): readonly string[] {
    return this.#unasked;
  }

  /** Returns every output line of its processes that contains `word`. */
  linesWith(word: string): string[] {
    const all = [...this.#ended, ...(this.#current === undefined ? [] : [this.#current])];
    return all.flatMap((one) => one.output().split('\n')).filter((line) => line.includes(word));
  }

  start(): void {
    this.#loop = this.#keep();
  }

  /** Sends a signal as a fault. Returns false if the process is just being started. */
  signal(signal: NodeJS.Signals): boolean {
    this.#faultAtMs = performance.now();
    return this.#current?.child.kill(signal) === true;
  }

  /** Stops the process without a restart. It continues a paused process first, so that it can receive the signal. */
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
      // The process was stopped while it was being started.
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
