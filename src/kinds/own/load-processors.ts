import { resolve } from 'node:path';
import { OTHER_KIND } from '../../queue/contract.ts';
import { ConfigError } from '../../settings/config.ts';
import type { Kind } from '../kind.ts';
import { createKinds } from '../kinds.ts';
import { isObject } from './check-definition.ts';
import type { ProcessorDefinition, Versioned } from './definition.ts';
import { execKind } from './exec-kind.ts';
import { readExecManifest, type ExecManifest } from './exec-manifest.ts';
import type { ModulePlace } from './import-from.ts';
import { loadDefinition, requireDefinition } from './load-definition.ts';
import { ownKind } from './own-kind.ts';

/** Maximum output of one run of a module. A program has the same default. */
const DEFAULT_MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

/** A processor of somebody else, with the place of its code. */
export interface OwnProcessor {
  /** The entry of `PROCESSORS` that names it. */
  readonly label: string;
  readonly kind: Kind<unknown>;
  readonly code:
    | { readonly type: 'module'; readonly place: ModulePlace; readonly maxOutputBytes: number }
    | { readonly type: 'object'; readonly load: ProcessorDefinition<unknown>['load'] }
    | { readonly type: 'exec'; readonly manifest: ExecManifest };
}

/** An object that `defineProcessor` has made, for options of any type. */
export type DefinedProcessor = Pick<Versioned<ProcessorDefinition<unknown>>, 'interfaceVersion'> & {
  readonly kind: { readonly name: string };
};

/** A member of `PROCESSORS`: a path, a package, or the object that `defineProcessor` has made. */
export type ProcessorSource = string | DefinedProcessor;

/** A processor of somebody else cannot be used. The message is one line that names it, the exit code is 78. */
export class ProcessorError extends ConfigError {
  override readonly name = 'ProcessorError';
}

/** The place and the process in which processors are loaded. */
interface LoadOptions {
  /** The folder of relative paths, in which packages are searched too. Default: the working directory. */
  readonly directory?: string;
  /** True if the process belongs to another application, which may end it meanwhile. Default false. */
  readonly isEmbedded?: boolean;
}

/**
 * Loads processors and checks that no two of them, and none of the service, claim the same name or type. Loads only the
 * kind of a module, not the code that processes files. Rejects with `ProcessorError`.
 */
export async function loadOwnProcessors(
  sources: readonly ProcessorSource[],
  { directory = process.cwd(), isEmbedded = false }: LoadOptions = {},
): Promise<OwnProcessor[]> {
  const loaded: OwnProcessor[] = [];
  // Processors are loaded one after the other, so that the message names the first faulty one.
  for (const source of sources) {
    const label = typeof source === 'string' ? source : `processors[${loaded.length}]`;
    const stopReporting = isEmbedded ? undefined : reportExit(label);
    try {
      loaded.push(await load(source, label, directory));
    } catch (error) {
      throw new ProcessorError(`PROCESSORS: ${label}: ${firstLine(error)}`, { cause: error });
    } finally {
      stopReporting?.();
    }
  }
  requireDistinct(loaded);
  return loaded;
}

/** If the process ends while the module is loaded, names the module and sets the exit code of a wrong setting. */
function reportExit(label: string): () => void {
  const report = (): void => {
    process.stderr.write(`deferred-uploads: PROCESSORS: ${label}: the process ended while the module was loaded\n`);
    process.exitCode = ConfigError.exitCode;
  };
  process.once('exit', report);
  return () => process.off('exit', report);
}

/** Returns the kinds of these processors, for an API process. Rejects as `loadOwnProcessors` does. */
export async function loadOwnKinds(
  sources: readonly ProcessorSource[],
  options?: Pick<LoadOptions, 'isEmbedded'>,
): Promise<Kind<unknown>[]> {
  return (await loadOwnProcessors(sources, options)).map(({ kind }) => kind);
}

async function load(source: ProcessorSource, label: string, directory: string): Promise<OwnProcessor> {
  if (typeof source !== 'string') {
    const definition = requireDefinition(source, 'it');
    return { label, kind: ownKind(definition.kind), code: { type: 'object', load: () => definition.load() } };
  }
  if (source.endsWith('.json')) {
    const manifest = readExecManifest(resolve(directory, source));
    return { label, kind: ownKind<unknown>(execKind(manifest)), code: { type: 'exec', manifest } };
  }
  const place = { name: source, directory };
  const { kind, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = await loadDefinition(place);
  return { label, kind: ownKind(kind), code: { type: 'module', place, maxOutputBytes } };
}

/** Throws for a repeated name or type. Those of pictures and tables are always taken: stored uploads need them. */
function requireDistinct(processors: readonly OwnProcessor[]): void {
  const service = createKinds();
  const kindOfType = new Map(
    service.types.map((type) => [type, `the kind ${service.find(type)?.name} of the service`]),
  );
  const names = [...service.types.map((type) => service.find(type)?.name ?? ''), OTHER_KIND];
  const ownerOfName = new Map(names.map((name) => [name, 'the service']));
  for (const { label, kind } of processors) {
    const owner = ownerOfName.get(kind.name);
    if (owner !== undefined)
      throw new ProcessorError(`PROCESSORS: ${label}: the name ${kind.name} is taken by ${owner}`);
    ownerOfName.set(kind.name, label);
    for (const type of kind.types) {
      const other = kindOfType.get(type);
      if (other !== undefined) throw new ProcessorError(`PROCESSORS: ${label}: ${type} is claimed by ${other} too`);
      kindOfType.set(type, label);
    }
  }
}

/** Returns one line about a thrown value, which need not be an Error. */
function firstLine(thrown: unknown): string {
  const text = isObject(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : describe(thrown);
  return text.split('\n')[0]?.trim().slice(0, 500) || 'it failed without a message';
}

function describe(thrown: unknown): string {
  try {
    return `it threw ${String(thrown)}`;
  } catch {
    return '';
  }
}
