/** Longest time of a probe. It delays the report of a failure. */
const PROBE_MS = 5000;

/** Distinguishes two failures that look the same to a script: an unreachable server, and a page that is not allowed. */
export interface OriginProbe {
  /** Call it for each answer that the page could read. After it, nothing is probed any more. */
  answered(): void;
  /** Resolves with true if the server is reachable and the browser blocks its answers. Never rejects. */
  isBlocked(): Promise<boolean>;
}

/** Requests that fail at the same time share one probe. Outside pages and at the page's own origin it sends nothing. */
export function createOriginProbe(baseUrl: string, fetch: typeof globalThis.fetch): OriginProbe {
  let isAllowed = !isForeign(baseUrl);
  let probing: Promise<boolean> | null = null;

  /** Sends a request without CORS, whose answer the page cannot read. It only shows whether the server is reachable. */
  async function probe(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(PROBE_MS);
      await fetch(`${baseUrl}/healthz`, { mode: 'no-cors', cache: 'no-store', signal });
      return !isAllowed;
    } catch {
      return false;
    } finally {
      probing = null;
    }
  }

  return {
    answered() {
      isAllowed = true;
    },
    isBlocked: () => (isAllowed ? Promise.resolve(false) : (probing ??= probe())),
  };
}

/** True on a page of another origin. */
function isForeign(baseUrl: string): boolean {
  const { location }: { location?: { readonly href: string; readonly origin: string } } = globalThis;
  if (location === undefined) return false;
  try {
    return new URL(baseUrl, location.href).origin !== location.origin;
  } catch {
    return false;
  }
}
