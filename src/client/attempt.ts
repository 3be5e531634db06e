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

/** The limits of an attempt. */
export interface AttemptOptions {
  /** Ends the whole request, without another attempt. */
  signal: AbortSignal;
  /** The attempt is aborted after this time without progress; Infinity for never. */
  silenceMs: number;
  /** Called with the attempt when it starts, and with null when it has ended. */
  onAttempt: (attempt: Attempt | null) => void;
}

/**
 * Runs `work` with its own signal. Rejects with `connection_lost` if the attempt was given up, so it can be retried.
 */
export async function runAttempt<T>(work: (signal: AbortSignal) => Promise<T>, options: AttemptOptions): Promise<T> {
  const { signal, silenceMs, onAttempt } = options;
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  let aliveAtMs = Date.now();
  const check = setInterval(() => Date.now() - aliveAtMs > silenceMs && giveUp(), Math.min(CHECK_MS, silenceMs));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  onAttempt({
    alive: (hasAllBytes) => void (aliveAtMs = hasAllBytes ? Infinity : Date.now()),
    giveUp,
    startedAtMs: aliveAtMs,
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    const { code } = asUploadError(error);
    throw code === 'aborted' && !signal.aborted ? clientError('connection_lost', error) : error;
  } finally {
    clearInterval(check);
    signal.removeEventListener('abort', giveUp);
    onAttempt(null);
  }
}
