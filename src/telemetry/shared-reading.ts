/** Returns a reading whose calls share one result while it is being read, as several metrics of one scrape do. */
export function sharedReading<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= read().finally(() => (running = undefined));
    return running;
  };
}
