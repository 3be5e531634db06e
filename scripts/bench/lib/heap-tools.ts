import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';

/** Average number of bytes between two samples, small enough to see single responses. */
const SAMPLING_INTERVAL_BYTES = 512;

let session: Session | undefined;

/**
 * Collects all garbage and returns free pages to the system. `--expose-gc` would leave free pages, which V8 returns in
 * another collection some seconds later, during the measurement.
 */
export async function collect(): Promise<void> {
  const collector = new Session();
  collector.connect();
  await collector.post('HeapProfiler.collectGarbage');
  collector.disconnect();
}

/** Starts a heap profile of this process. */
export async function startHeapProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_INTERVAL_BYTES });
}

/** Writes the allocations since the start that are still alive. Chromium's developer tools open the file. */
export async function stopHeapProfile(file: string): Promise<void> {
  if (session === undefined) throw new Error('no heap profile was started');
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  session = undefined;
  await writeFile(file, JSON.stringify(profile));
}
