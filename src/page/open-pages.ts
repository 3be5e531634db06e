/** A page that was just closed or reloaded still has its lock for a moment. After these tries it counts as open. */
const TRIES = 10;
const BETWEEN_TRIES_MS = 200;
/** A page without an answer for this time counts as closed. Most answer within a few milliseconds. */
const ANSWER_WITHIN_MS = 500;

/** The open pages of this service in one browser. A new page continues only uploads that no open page works on. */
interface OpenPages {
  /** Name of this page, different after each load. */
  readonly name: string;
  /**
   * Calls `claim` with the name of each given page that is closed, or that closes within about 2 seconds. Two pages
   * never claim at the same time.
   */
  claimClosed(names: Iterable<string>, claim: (name: string) => void): Promise<void>;
}

/** Announces this page to other pages until it is closed. `base`: the path of the service on its host. */
export function announcePage(name: string, base = ''): OpenPages {
  const prefix = `deferred-uploads${base}`;
  // Browsers offer locks only over TLS and on the own machine.
  return 'locks' in navigator ? withLocks(navigator.locks, name, prefix) : withMessages(name, prefix);
}

/** Uses locks: each page holds one with its name. The browser releases it when the page ends in any way. */
function withLocks(locks: LockManager, name: string, prefix: string): OpenPages {
  const lockOf = (page: string): string => `${prefix}:${page}`;
  void locks.request(lockOf(name), () => new Promise(() => undefined)).catch(() => undefined);
  return {
    name,
    async claimClosed(names, claim) {
      await Promise.allSettled(Array.from(names, (page) => claimWithLock(locks, lockOf(page), () => claim(page))));
    },
  };
}

/** Tries are counted, not measured, so that a slow machine does not take a closed page for an open one. */
async function claimWithLock(locks: LockManager, name: string, claim: () => void): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const isClaimed = await locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock) claim();
      return lock !== null;
    });
    if (isClaimed) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

/** Asks the other pages for their names. A page that is too busy to answer in time counts as closed. */
function withMessages(name: string, prefix: string): OpenPages {
  if (typeof BroadcastChannel === 'undefined')
    return {
      name,
      claimClosed: async (names, claim) => {
        for (const page of names) claim(page);
      },
    };
  const channel = new BroadcastChannel(prefix);
  const open = new Set<string>();
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === '') channel.postMessage(name);
    else if (typeof data === 'string') open.add(data);
  });
  return {
    name,
    async claimClosed(names, claim) {
      const asked = [...names];
      if (asked.length === 0) return;
      channel.postMessage('');
      await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS));
      for (const page of asked) if (!open.has(page)) claim(page);
    },
  };
}
