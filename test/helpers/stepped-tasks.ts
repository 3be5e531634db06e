import type { Random } from '../../scripts/chaos/random.ts';
import { ServiceError } from '../../src/errors.ts';
import { turnsUntil } from './turns-until.ts';

/** How a call fails: not at all, before it is executed, or because its reply is lost. */
type Fault = 'none' | 'before' | 'after';

/** Chooses the fault of the next call. */
export type ChooseFault = () => Fault;

/** Returns a choice by which one call in thirty fails. */
export function randomFaults(random: Random): ChooseFault {
  return () => (random.chance(1 / 30) ? random.pick<Fault>(['before', 'after']) : 'none');
}

/** The choice of calls that never fail. */
export const NO_FAULTS: ChooseFault = () => 'none';

const OPENING: ReadonlySet<string> = new Set(['create', 'read']);

/** A task whose calls of its dependencies are executed one at a time, when the test says so. */
export class SteppedTask {
  readonly name: string;
  /** True if the task gets no more turns, like a task of a killed process. */
  isKilled = false;
  #ending: 'resolved' | 'rejected' | undefined;
  #isReleased = false;
  readonly #calls: { name: string; run: () => Promise<void> }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** True if the task has resolved. */
  get hasResolved(): boolean {
    return this.#ending === 'resolved';
  }

  /** True if a call of the task waits for its turn. */
  get canStep(): boolean {
    return !this.isKilled && this.#calls.length > 0;
  }

  /** Starts the work. Resolves when it waits with its first call, or has ended. */
  async start(work: () => Promise<unknown>): Promise<void> {
    void work().then(
      () => (this.#ending = 'resolved'),
      () => (this.#ending = 'rejected'),
    );
    await this.#untilNextCall();
  }

  /** Executes the oldest waiting call. Resolves with its name when the task waits with the next one, or has ended. */
  async step(): Promise<string> {
    const call = this.#calls.shift();
    if (call === undefined) throw new Error(`${this.name} waits with no call`);
    await call.run();
    await this.#untilNextCall();
    return `${this.name}: ${call.name}`;
  }

  /** Ends the task: each further call fails before it is executed. */
  async release(): Promise<void> {
    this.#isReleased = true;
    while (this.#calls.length > 0) await this.step();
  }

  /** Returns a dependency of the task, whose methods with these names are executed in steps. */
  stepped<T extends object>(target: T, names: readonly string[], choose: ChooseFault): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const call = (args: unknown[]): unknown => Reflect.apply(member, target, args);
        if (!names.includes(String(name))) return (...args: unknown[]) => call(args);
        if (name === 'list') return (...args: unknown[]) => this.#list(() => call(args), choose);
        return async (...args: unknown[]) => {
          const value = await this.#inTurn(String(name), choose, async () => await call(args));
          // The writer of a file becomes a stepped dependency too.
          return name === 'create' ? this.stepped(value as object, ['commit', 'commitWith'], choose) : value;
        };
      },
    });
  }

  async *#list(list: () => unknown, choose: ChooseFault): AsyncGenerator {
    yield* await this.#inTurn('list', choose, async () => {
      const objects: unknown[] = [];
      for await (const object of list() as AsyncIterable<unknown>) objects.push(object);
      return objects;
    });
  }

  #inTurn<T>(name: string, choose: ChooseFault, call: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = async (): Promise<void> => {
        const fault = this.#isReleased ? 'before' : choose();
        // Nobody would close what an open call returns.
        if (fault === 'before' || (fault === 'after' && OPENING.has(name))) return reject(unavailable());
        await call().then((value) => (fault === 'none' ? resolve(value) : reject(unavailable())), reject);
      };
      this.#calls.push({ name, run });
    });
  }

  async #untilNextCall(): Promise<void> {
    await turnsUntil(`the next call of ${this.name}`, () => this.#calls.length > 0 || this.#ending !== undefined);
  }
}

function unavailable(): ServiceError {
  return new ServiceError('service_unavailable', 'A dependency does not respond.');
}
