import { childEnvironment } from '../src/settings/config.ts';
import { readOptions, type EmbeddingOptions } from '../src/settings/options.ts';
import { createLog } from '../src/telemetry/log.ts';
import { createAllProcessors } from './all-processors.ts';
import { openWorker } from './services.ts';

/** The settings of a worker inside another application. */
export interface WorkerOptions extends EmbeddingOptions {
  /**
   * Called once if a processor does not stop. Its thread is lost, so the application should close the worker and end
   * the process. Default: only a log line.
   */
  readonly onUnresponsive?: (() => void) | undefined;
}

/** A worker inside another application. */
export interface EmbeddedWorker {
  /**
   * Takes no more jobs, waits up to `shutdownGraceMs` for running ones, requeues the rest, and closes every connection.
   * The second call returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Starts a worker in this process. It installs no signal handlers and never ends the process. Waits for Redis without a
 * limit. Rejects with one line that names a wrong option, or with the reason why Redis or the storage cannot be used.
 */
export async function createWorker({ onUnresponsive, ...options }: WorkerOptions = {}): Promise<EmbeddedWorker> {
  const { config, environment, processors } = readOptions(options);
  const ofChildren = { environment: childEnvironment('isolated', environment), nodeOptions: [] };
  const log = createLog('worker', config);
  const kind = {
    createProcessors: () => createAllProcessors(config, { sources: processors, ...ofChildren }),
    isolatedEntry: new URL('./isolation/main.js', import.meta.url),
  };
  let isReported = false;
  const worker = await openWorker(config, log, kind, {
    onUnresponsive() {
      if (isReported) return;
      isReported = true;
      log.error('processor unresponsive, the process must be restarted');
      onUnresponsive?.();
    },
    isEmbedded: true,
    isolatedEnvironment: ofChildren.environment,
    nodeOptions: ofChildren.nodeOptions,
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= worker.close(config.shutdownGraceMs));
  try {
    await worker.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
