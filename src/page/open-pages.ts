/** Pages of one browser answer each other within a few milliseconds. */
const ANSWER_WITHIN_MS = 100;

/** Tells the pages of this service in one browser from each other, so that each goes on with what nobody has in hand. */
export interface OpenPages {
  /** This page's own name, new with each load. */
  readonly name: string;
  /** Names of the others that are open. */
  others(): Promise<ReadonlySet<string>>;
}

/** Begins to answer the others; for as long as the page lives. */
export function announcePage(name: string): OpenPages {
  if (typeof BroadcastChannel === 'undefined') return { name, others: () => Promise.resolve(new Set()) };
  const channel = new BroadcastChannel('deferred-uploads');
  const heard = new Set<string>();
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === '') channel.postMessage(name);
    else if (typeof data === 'string') heard.add(data);
  });
  return {
    name,
    async others() {
      channel.postMessage('');
      await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS));
      return heard;
    },
  };
}
