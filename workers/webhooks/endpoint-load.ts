/** Maximum number of requests that one process sends to one endpoint at the same time. */
const MOST_REQUESTS = 20;

/** An endpoint that takes longer on average is slow. It gets fewer requests, and nothing waits for it here. */
const SLOW_MS = 1_000;
const REQUESTS_WHILE_SLOW = 4;

/** After a try without an answer, one request at a time shows whether the endpoint is back. */
const REQUESTS_WHILE_SILENT = 1;

/** Maximum number of deliveries to one endpoint that wait in this process. The others wait in Redis. */
const MOST_WAITING = 60;

/** The bounds of the time that a delivery waits in Redis before it asks again. */
const LEAST_PARKED_MS = 50;
const MOST_PARKED_MS = 30_000;

/** Weight of the newest duration in the average. */
const NEWEST_SHARE = 0.2;

interface Load {
  running: number;
  isSilent: boolean;
  averageMs: number;
  /** The time at which the delivery that was put back into Redis last may try again. */
  parkedUntilMs: number;
  /**
   * Waiting deliveries. Each is called with true if it may send its request, and with false if it must wait in Redis.
   */
  readonly waiting: ((mayStart: boolean) => void)[];
}

/** The permission to send one request. Call `end` exactly once. */
export interface Turn {
  end(hadAnswer: boolean): void;
}

/**
 * Limits the requests to each endpoint, so that a slow or silent endpoint leaves the places of this process to others.
 */
export class EndpointLoad {
  readonly #loads = new Map<string, Load>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * Resolves with a turn, or with the milliseconds after which to ask again because too many deliveries wait for this
   * endpoint.
   */
  async take(endpoint: string): Promise<Turn | number> {
    const load = this.#loadOf(endpoint);
    if (load.running < limitOf(load)) load.running += 1;
    else if (!isQuick(load) || load.waiting.length >= MOST_WAITING) return this.#park(load);
    else if (!(await new Promise<boolean>((resolve) => load.waiting.push(resolve)))) return this.#park(load);
    return this.#turn(endpoint, load);
  }

  #loadOf(endpoint: string): Load {
    const known = this.#loads.get(endpoint);
    if (known !== undefined) return known;
    const load: Load = { running: 0, isSilent: false, averageMs: 0, parkedUntilMs: 0, waiting: [] };
    this.#loads.set(endpoint, load);
    return load;
  }

  /** Spreads parked deliveries at the rate of the endpoint, so that each of them asks again about once. */
  #park(load: Load): number {
    const nowMs = this.#nowMs();
    const earliestMs = Math.max(nowMs + LEAST_PARKED_MS, load.parkedUntilMs);
    load.parkedUntilMs = Math.min(earliestMs + load.averageMs / limitOf(load), nowMs + MOST_PARKED_MS);
    return Math.ceil(load.parkedUntilMs - nowMs);
  }

  #turn(endpoint: string, load: Load): Turn {
    const startedAtMs = this.#nowMs();
    return {
      end: (hadAnswer) => {
        const tookMs = this.#nowMs() - startedAtMs;
        load.averageMs += (tookMs - load.averageMs) * NEWEST_SHARE;
        load.isSilent = !hadAnswer;
        load.running -= 1;
        while (load.waiting.length > 0 && load.running < limitOf(load)) {
          load.running += 1;
          load.waiting.shift()?.(true);
        }
        if (!isQuick(load)) for (const decide of load.waiting.splice(0)) decide(false);
        if (load.running === 0 && isQuick(load) && load.waiting.length === 0) this.#loads.delete(endpoint);
      },
    };
  }
}

function isQuick({ isSilent, averageMs }: Load): boolean {
  return !isSilent && averageMs < SLOW_MS;
}

function limitOf(load: Load): number {
  if (load.isSilent) return REQUESTS_WHILE_SILENT;
  return isQuick(load) ? MOST_REQUESTS : REQUESTS_WHILE_SLOW;
}
