/** What a feed tells its listener, and asks of it. None of these may throw. */
export interface EventListener {
  /** A record changed. `fields` is what the record's script put into the event, and may be anything. */
  changed(id: string, fields: unknown): void;
  /** Events may have been missed: whoever waits has to look for himself. */
  missed(): void;
  /** Whether anybody waits for the upload. */
  isWanted(id: string): boolean;
}

/**
 * A feed of changes, one way or the other: all that a driver of the bus has to be. What it was asked to listen to
 * it tells of at least once, or it calls `missed`: when it begins, and after every gap.
 */
export interface EventFeed {
  /** Resolves when it listens for the first time, which takes as long as Redis is away. */
  readonly opened: Promise<void>;
  /**
   * Asks for the changes of these uploads. Resolves when none can be missed any more, or when `missed` will be
   * called before any can; undefined where that holds already. Never rejects, and ends soon where Redis is away.
   */
  listen(ids: readonly string[]): Promise<void> | undefined;
  /** Ends it and its connection at once, whether or not it ever opened. */
  close(): Promise<void>;
}
