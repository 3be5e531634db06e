/** Receives the changes of a feed. None of these may throw. */
export interface EventListener {
  /** A record changed. `data` is the JSON that the record's script put into the event; it may be anything, as others may write there. */
  changed(id: string, data: string | undefined): void;
  /** Events may have been missed: every waiter has to read its records. */
  missed(): void;
  /** Whether anybody waits for the upload. */
  isWanted(id: string): boolean;
}

/**
 * A feed of changes, one way or the other: all that a driver of the bus has to be. It reports each change that it was asked
 * to listen to at least once, or it calls `missed`: when it opens, and after every gap. If it ends for any reason it opens again.
 */
export interface EventFeed {
  /** Resolves when it receives events for the first time, which takes as long as Redis is away. Never rejects. */
  readonly opened: Promise<void>;
  /** Why no events are received at the moment, in a few words for operators; undefined while they are. */
  readonly fault: string | undefined;
  /**
   * Asks for the changes of these uploads. Resolves when none can be missed any more, or when `missed` will be
   * called before any can; undefined if that holds already. Never rejects, and ends soon while Redis is away.
   */
  listen(ids: readonly string[]): Promise<void> | undefined;
  /** Ends it and its connections at once, whether or not it ever opened. */
  close(): Promise<void>;
}

/** Reported while there is no connection. */
export const NO_CONNECTION = 'there is no connection to Redis';

/** The reason of an error in a few words: the error code of Redis, never its text, which may name keys. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return NO_CONNECTION;
  return `Redis answers ${/^[A-Z]+/.exec(error.message)?.[0] ?? 'an error'}`;
}

/** Pauses before a feed opens again: from 0.1 s, doubled each time, up to 5 s; shortened at random by up to a quarter. */
export function reopenPauseMs(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(failures, 6)) * (1 - Math.random() / 4);
}
