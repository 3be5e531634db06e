/** Receives the changes of a feed. None of these functions may throw. */
export interface EventListener {
  /**
   * Called when a record has changed. `data` is the JSON of the event. It may be anything, because other programs may
   * write to the stream.
   */
  changed(id: string, data: string | undefined): void;
  /** Called if events may be lost: every waiter must then read its records. */
  missed(): void;
  /** True if this process has a waiter for the upload. */
  isWanted(id: string): boolean;
  /** True if this process has any waiter. Without one, lost events do no harm. */
  hasWaiters(): boolean;
}

/**
 * A feed of changes; each driver of the event bus implements it. It reports every change of the requested uploads at
 * least once, or calls `missed`: when it opens, and after every gap. If it ends, it opens again.
 */
export interface EventFeed {
  /** Resolves when events arrive for the first time, so it takes as long as Redis is away. Never rejects. */
  readonly opened: Promise<void>;
  /** Why no events arrive now, in a few words for operators; undefined while they do. */
  readonly fault: string | undefined;
  /** True if it reports the changes of all uploads, not only of the requested ones. Default: false. */
  readonly reportsAll?: boolean;
  /**
   * Requests the changes of these uploads. Resolves when no later change can be lost without `missed` being called;
   * undefined if that is true already. Never rejects, and ends soon while Redis is away.
   */
  listen(ids: readonly string[]): Promise<void> | undefined;
  /** Closes the feed and its connections at once, even if it never opened. */
  close(): Promise<void>;
}

/** The fault while there is no connection. */
export const NO_CONNECTION = 'there is no connection to Redis';

/** Returns a short reason for an error: the error code of Redis, but never its text, which may name keys. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return NO_CONNECTION;
  return `Redis answers ${/^[A-Z]+/.exec(error.message)?.[0] ?? 'an error'}`;
}

/**
 * Returns the pause before a feed opens again: from 0.1 s, doubled each time, up to 5 s, and shortened at random by up
 * to a quarter.
 */
export function reopenPauseMs(failures: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(failures, 6)) * (1 - Math.random() / 4);
}
