import { setTimeout as delay } from 'node:timers/promises';
import { targetOf, type Fault, type FaultKind } from '../fault-schedule.ts';
import type { Fleet } from './fleet.ts';
import type { Link } from './link.ts';
import type { LosingLog } from './power.ts';

/** When Redis was dead, since it may have lost what was told before. */
export interface Outage {
  fromMs: number;
  toMs: number;
}

/** Does to the fleet what the schedule says. */
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
   * @param log where Redis loses the last second with each death
   * @param onLoss told while Redis is dead
   */
  constructor(fleet: Fleet, log: LosingLog | undefined, onLoss: () => void) {
    this.#onLoss = onLoss;
    this.#fleet = fleet;
    this.#log = log;
  }

  /** How many of each kind have hit. */
  get counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts;
  }

  /** Of Redis; the last may be under way. */
  get outages(): readonly Outage[] {
    return this.#outages;
  }

  /** Of Redis's log. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** Resolves when the last fault is over and mended. */
  async run(faults: readonly Fault[], startedAtMs: number): Promise<void> {
    await Promise.all(
      faults.map(async (fault) => {
        await delay(Math.max(0, startedAtMs + fault.atMs - performance.now()));
        if (await this.#inject(fault)) this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1);
      }),
    );
  }

  /** False where there was nothing to hit. */
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
          fault.kind === 'storage-away' ? await this.#removeStorage(fault) : await this.#fleet.intrude(),
        );
    }
  }

  /** On a slow machine a fault may last into the next one: two Redis servers would run then, each with half of the clients. */
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
    // Told before it happens, so that nobody sees its effects before.
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
  link.mend();
  return true;
}
