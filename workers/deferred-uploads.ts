/* The entry point of the package `deferred-uploads`. */
export { createService, type UploadService } from '../src/server/create-service.ts';
export { ConfigError } from '../src/settings/config.ts';
export { fromEnvironment, type EmbeddingOptions, type SettingOptions } from '../src/settings/options.ts';
export {
  defineKind,
  defineProcessor,
  type FileContext,
  type KindDefinition,
  type ProcessFile,
  type ProcessorDefinition,
} from '../src/kinds/own/definition.ts';
export { createWorker, type EmbeddedWorker, type WorkerOptions } from './create-worker.ts';
