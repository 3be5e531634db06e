import type { EmbeddingOptions } from '../src/settings/options.ts';
import type { UploadService } from '../src/server/create-service.ts';
import type { EmbeddedWorker, WorkerOptions } from './create-worker.ts';

/* The entry point of the package `deferred-uploads`. */
export { ConfigError } from '../src/settings/config.ts';
export { fromEnvironment, type EmbeddingOptions, type SettingOptions } from '../src/settings/options.ts';
export {
  defineKind,
  defineProcessor,
  type FileContext,
  type FileToPublish,
  type KindDefinition,
  type OptionsSchema,
  type ProcessFile,
  type ProcessorDefinition,
  type PublishedFile,
} from '../src/kinds/own/definition.ts';
export type { UploadService } from '../src/server/create-service.ts';
export type { EmbeddedWorker, WorkerOptions } from './create-worker.ts';

/*
 * The modules of the service are loaded when they are used: a module with a processor imports this entry point in every
 * process that runs a file.
 */

/**
 * Starts the service without a server of its own. It installs no signal handlers and never ends the process. Rejects
 * with one line that names a wrong option, or with the reason why Redis or the storage cannot be used.
 */
export async function createService(options: EmbeddingOptions = {}): Promise<UploadService> {
  const service = await import('../src/server/create-service.ts');
  return await service.createService(options);
}

/**
 * Starts a worker in this process. It installs no signal handlers and never ends the process. Waits for Redis without a
 * limit. Rejects with one line that names a wrong option, or with the reason why Redis or the storage cannot be used.
 */
export async function createWorker(options: WorkerOptions = {}): Promise<EmbeddedWorker> {
  const worker = await import('./create-worker.ts');
  return await worker.createWorker(options);
}
