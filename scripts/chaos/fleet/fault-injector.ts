import { setTimeout as delay } from 'node:timers/promises';
import { targetOf, type Fault, type FaultKind } from '../fault-schedule.ts';
import type { Fleet } from './fleet.ts';
import type { Link } from './link.ts';
import type { LosingLog } from './power.ts';

/** A time during which Redis was dead. It may have lost earlier changes. */
interface Outage {
  fromMs: number;
  toMs: number;
}

/** Applies the schedule of faults to the fleet. */
export class FaultInjector {
  readonly #fleet: Fleet;
  readonly #log: LosingLog | undefined;
  readonly #onLoss: () => void;
  readonly #counts = new Map<FaultKind, number>();
  readonly #outages: Outage[] = [];
  /** The last fault of a target that can only be hit by one at a time. */
  readonly #last = new Map<'redis' | 'storage', Promise<boolean>>();
  #lostBytes = 0;

  /**
   * @param log the log of Redis that loses its last second with each death, if any
   * @param onLoss called while Redis is dead
   */
  constructor(fleet: Fleet, log: LosingLog | undefined, onLoss: () => void) {
    this.#onLoss = onLoss;
    this.#fleet = fleet;
    this.#log = log;
  }

  /** The number of faults of each kind that have hit. */
  get counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts;
  }

  /** The outages of Redis. The last one may not be over. */
  get outages(): readonly Outage[] {
    return this.#outages;
  }

  /** The number of bytes that Redis's log has lost. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** Resolves when the last fault is over and repaired. */
  async run(faults: readonly Fault[], startedAtMs: number): Promise<void> {
    await Promise.all(
      faults.map(async (fault) => {
        await delay(Math.max(0, startedAtMs + fault.atMs - performance.now()));
        if (await this.#inject(fault)) this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1);
      }),
    );
  }

  /** Returns false if there was nothing to hit. */
  async #inject(fault: Fault): Promise<boolean> {
    switch (targetOf(fault.kind)) {
      case 'api':
        return await signalProcess(fault, this.#fleet.apis);
      case 'worker':
        return await signalProcess(fault, this.#fleet.workers);
      case 'api-link':
        return await breakLink(fault, this.#fleet.apiLinks);
      case 'redis-link':
        return await breakLink(fault, this.#fleet.redisLinks);
      case 'redis':
        return await this.#inTurn('redis', async () =>
          fault.kind === 'redis-pause' ? await this.#pauseRedis(fault) : await this.#endRedis(fault),
        );
      case 'storage':
        return await this.#inTurn('storage', async () =>
          fault.kind === 'storage-away'
            ? await this.#removeStorage(fault)
            : await this.#fleet.startSecondInstallation(),
        );
    }
  }

  /**
   * Runs faults of one target one after the other. On a slow machine they could overlap, and two Redis servers would
   * run.
   */
  async #inTurn(target: 'redis' | 'storage', fault: () => Promise<boolean>): Promise<boolean> {
    const earlier = this.#last.get(target);
    const done = Promise.resolve(earlier).then(fault);
    this.#last.set(
      target,
      done.catch(() => false),
    );
    return await done;
  }

  async #pauseRedis({ forMs }: Fault): Promise<boolean> {
    const { pid } = this.#fleet.redis;
    process.kill(pid, 'SIGSTOP');
    await delay(forMs);
    process.kill(pid, 'SIGCONT');
    return true;
  }

  async #removeStorage({ forMs }: Fault): Promise<boolean> {
    await this.#fleet.storage.goAway();
    await delay(forMs);
    await this.#fleet.storage.comeBack();
    return true;
  }

  async #endRedis({ kind, forMs }: Fault): Promise<boolean> {
    const { redis } = this.#fleet;
    const outage: Outage = { fromMs: performance.now(), toMs: Infinity };
    // Recorded before the kill, so that nobody sees its effects earlier.
    if (kind === 'redis-kill') this.#outages.push(outage);
    await redis.down(kind === 'redis-kill' ? 'SIGKILL' : 'SIGTERM');
    if (kind === 'redis-kill' && this.#log !== undefined) {
      this.#lostBytes += this.#log.lose();
      this.#onLoss();
    }
    await delay(forMs);
    await redis.up();
    outage.toMs = performance.now();
    return true;
  }
}

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { kill: 'SIGKILL', stop: 'SIGTERM', pause: 'SIGSTOP' };

async function signalProcess({ kind, index, forMs }: Fault, processes: Fleet['apis']): Promise<boolean> {
  const victim = processes[index];
  const signal = SIGNALS[kind.slice(kind.indexOf('-') + 1)];
  if (victim === undefined || signal === undefined || !victim.signal(signal)) return false;
  if (signal !== 'SIGSTOP') return true;
  await delay(forMs);
  victim.signal('SIGCONT');
  return true;
}

async function breakLink({ kind, index, forMs }: Fault, links: readonly Link[]): Promise<boolean> {
  const link = links[index];
  if (link === undefined) return false;
  if (kind.endsWith('silence')) link.silence();
  else link.cut();
  await delay(forMs);
  link.repair();
  return true;
}
