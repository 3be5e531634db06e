import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';

/** Bytes between two samples, on the average: fine enough for single responses. */
const SAMPLING_INTERVAL_BYTES = 512;

let session: Session | undefined;

/**
 * Collects garbage as when memory runs short: to the last page. What `--expose-gc` offers leaves free pages, which
 * V8 gives back by another collection some seconds later, in the middle of whatever is measured then.
 */
export async function collect(): Promise<void> {
  const collector = new Session();
  collector.connect();
  await collector.post('HeapProfiler.collectGarbage');
  collector.disconnect();
}

/** Notes from now on who allocates what, in this process. */
export async function startHeapProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_INTERVAL_BYTES });
}

/** Writes what was allocated since and is still alive; Chromium's developer tools open the file. */
export async function stopHeapProfile(file: string): Promise<void> {
  if (session === undefined) throw new Error('no heap profile was started');
  const { profile } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  session = undefined;
  await writeFile(file, JSON.stringify(profile));
}
