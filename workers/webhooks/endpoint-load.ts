/** Requests that one process sends to one endpoint at the same time. */
const MOST_REQUESTS = 20;

/** After a try without an answer, one request at a time shows whether the endpoint is back. */
const REQUESTS_WHILE_SILENT = 1;

/** Deliveries to one endpoint that wait in this process. The others wait in Redis. */
const MOST_WAITING = 60;

/** How long a delivery waits in Redis until it asks again. */
const LEAST_PARKED_MS = 50;
const MOST_PARKED_MS = 30_000;

/** Weight of the newest duration in the average. */
const NEWEST_SHARE = 0.2;

interface Load {
  running: number;
  isSilent: boolean;
  averageMs: number;
  /** When the last parked delivery asks again. */
  parkedUntilMs: number;
  readonly waiting: (() => void)[];
}

/** The permission to send one request. Call `end` exactly once. */
export interface Turn {
  end(hadAnswer: boolean): void;
}

/**
 * Limits the requests to each endpoint, so that an endpoint that is slow or does not answer leaves the places of this
 * process to the others.
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
    if (load.running >= limitOf(load)) {
      if (load.isSilent || load.waiting.length >= MOST_WAITING) return this.#park(load);
      await new Promise<void>((resolve) => load.waiting.push(resolve));
    } else load.running += 1;
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
          load.waiting.shift()?.();
        }
        if (load.running === 0 && !load.isSilent && load.waiting.length === 0) this.#loads.delete(endpoint);
      },
    };
  }
}

function limitOf({ isSilent }: Load): number {
  return isSilent ? REQUESTS_WHILE_SILENT : MOST_REQUESTS;
}
