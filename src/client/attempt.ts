import { asUploadError, clientError } from './upload-error.ts';

/** Interval of the check for silence. A single long timer would stand still while the machine sleeps. */
const CHECK_MS = 5000;

/** One attempt at a request, which may hang if the connection is dead and nothing reports it. */
export interface Attempt {
  /** Reports progress. With `hasAllBytes` the attempt is no longer limited in time. */
  alive(hasAllBytes: boolean): void;
  /** Aborts the attempt, for example after the server reported a broken connection. */
  giveUp(): void;
  readonly startedAtMs: number;
}

/** The time without progress after which an attempt is aborted. Use one for all parts of a file. */
export class SilenceLimit {
  #ms: number;

  /** @param ms Infinity for no limit. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  get ms(): number {
    return this.#ms;
  }

  /** Call it after a silent attempt that may only have been slow. */
  extend(): void {
    this.#ms *= 2;
  }
}

/** The limits of an attempt. */
export interface AttemptOptions {
  /** A signal that ends the whole request, without another attempt. */
  signal: AbortSignal;
  silence: SilenceLimit;
  /** Called with the attempt when it starts, and with null when it has ended. */
  onAttempt: (attempt: Attempt | null) => void;
}

/** Options of the request of an attempt. */
export interface AttemptRequest {
  signal: AbortSignal;
  /** Sent bytes show that the attempt is alive. A proxy may hide them from the server. */
  onSent: () => void;
}

/**
 * Runs `work`. Rejects with `connection_lost` if the attempt was given up, so it can be retried. If `fetch` does not
 * count sent bytes, a slow attempt looks like a dead one, so the next attempt may be silent for twice the time.
 */
export async function runAttempt<T>(
  work: (request: AttemptRequest) => Promise<T>,
  { signal, silence, onAttempt }: AttemptOptions,
): Promise<T> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  let aliveAtMs = Date.now();
  let isCounted = false;
  const checkSilence = (): void => {
    if (Date.now() - aliveAtMs <= silence.ms || controller.signal.aborted) return;
    if (!isCounted) silence.extend();
    giveUp();
  };
  const check = setInterval(checkSilence, Math.min(CHECK_MS, silence.ms));
  const onSent = (): void => {
    isCounted = true;
    aliveAtMs = Math.max(aliveAtMs, Date.now());
  };
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  onAttempt({
    alive: (hasAllBytes) => void (aliveAtMs = hasAllBytes ? Infinity : Date.now()),
    giveUp,
    startedAtMs: aliveAtMs,
  });
  try {
    return await work({ signal: controller.signal, onSent });
  } catch (error) {
    const { code } = asUploadError(error);
    throw code === 'aborted' && !signal.aborted ? clientError('connection_lost', error) : error;
  } finally {
    clearInterval(check);
    signal.removeEventListener('abort', giveUp);
    onAttempt(null);
  }
}
