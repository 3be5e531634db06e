import { asUploadError, clientError } from './upload-error.ts';

/** How often a silence is looked at: timers stand still while a machine sleeps, its clock does not. */
const LOOK_MS = 5000;

/** One try at a request that may turn out to hang: over a connection that nobody has told is dead. */
export interface Attempt {
  /** Says that something has come of it; with all bytes there it may take as long as it likes. */
  alive(hasAllBytes: boolean): void;
  /** Breaks it off, as when the server says that the connection broke. */
  giveUp(): void;
  readonly startedAtMs: number;
}

/** What bounds an attempt. */
export interface AttemptOptions {
  /** Ends it for good. */
  signal: AbortSignal;
  /** Given up after so long without a sign of life; Infinity for never. */
  silenceMs: number;
  /** Called with the attempt when it begins, and with null when it is over. */
  onAttempt: (attempt: Attempt | null) => void;
}

/** Runs `work` with a signal of its own. Being given up is no end: it rejects as `connection_lost`. */
export async function runAttempt<T>(work: (signal: AbortSignal) => Promise<T>, options: AttemptOptions): Promise<T> {
  const { signal, silenceMs, onAttempt } = options;
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  let heardAtMs = Date.now();
  const look = setInterval(() => Date.now() - heardAtMs > silenceMs && giveUp(), Math.min(LOOK_MS, silenceMs));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  onAttempt({
    alive: (hasAllBytes) => void (heardAtMs = hasAllBytes ? Infinity : Date.now()),
    giveUp,
    startedAtMs: heardAtMs,
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    const { code } = asUploadError(error);
    throw code === 'aborted' && !signal.aborted ? clientError('connection_lost', error) : error;
  } finally {
    clearInterval(look);
    signal.removeEventListener('abort', giveUp);
    onAttempt(null);
  }
}
