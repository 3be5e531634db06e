const PERIOD_MS = 2000;

/**
 * Calls `ask` at once and then every two seconds while the page is visible, never twice at the same time. A page that
 * becomes visible again asks at once. The returned function also asks at once, for example after a click.
 */
export function pollWhileVisible(ask: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  let isWanted = false;
  const askNow = async (): Promise<void> => {
    clearTimeout(timer);
    if (isAsking) {
      isWanted = true;
      return;
    }
    isAsking = true;
    do {
      isWanted = false;
      await ask();
    } while (isWanted);
    isAsking = false;
    if (!document.hidden) timer = setTimeout(() => void askNow(), PERIOD_MS);
  };
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else void askNow();
  });
  void askNow();
  return () => void askNow();
}
