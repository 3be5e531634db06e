/** Pages of the same browser usually answer within a few milliseconds. */
const ANSWER_WITHIN_MS = 100;

/** The open pages of this service in one browser. A new page continues only uploads that no open page works on. */
export interface OpenPages {
  /** Name of this page, different after each load. */
  readonly name: string;
  /** Names of the other open pages. Resolves after 100 ms. */
  others(): Promise<ReadonlySet<string>>;
}

/** Answers the questions of other pages until this page is closed. `base`: the path of the service on its host. */
export function announcePage(name: string, base = ''): OpenPages {
  if (typeof BroadcastChannel === 'undefined') return { name, others: () => Promise.resolve(new Set()) };
  const channel = new BroadcastChannel(`deferred-uploads${base}`);
  const names = new Set<string>();
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === '') channel.postMessage(name);
    else if (typeof data === 'string') names.add(data);
  });
  return {
    name,
    async others() {
      channel.postMessage('');
      await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS));
      return names;
    },
  };
}
