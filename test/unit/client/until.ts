import { patienceMs } from '../../helpers/patience.ts';

/** Resolves as soon as the condition holds; rejects after ten seconds without it, scaled to the machine. */
export async function until(condition: () => boolean): Promise<void> {
  const lastMs = Date.now() + patienceMs(10_000);
  while (!condition()) {
    if (Date.now() > lastMs) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
