import type { Buffer } from 'node:buffer';
import type { ModulePlace } from '../../src/kinds/own/import-from.ts';
import { childEnvironment } from '../../src/settings/config.ts';
import { killProcessesOf, newRunMark } from '../exec/processes-of.ts';
import { outputOver, tooCostly, watchLimits } from '../exec/watch-limits.ts';
import { isolatedRunner } from '../isolation/run-isolated.ts';
import type { PipelineContext } from '../pipeline.ts';
import type { RunProcessor } from '../processors.ts';
import { isolatedArguments } from './isolated-arguments.ts';
import { withRunFolder } from './run-folder.ts';

/** The settings with which processors of others are run. */
export interface OwnRunSettings {
  /** Limit of one file in ms, for modules. Programs have their own. */
  readonly attemptTimeoutMs: number;
  /** The same option as in `IsolationOptions`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The same option as in `IsolationOptions`. */
  readonly nodeOptions?: readonly string[];
  /** Default: the module in this folder. Tests give the compiled one. */
  readonly isolatedEntry?: URL;
}

/** A module, and the maximum number of bytes that one run may write. */
interface LimitedModule {
  readonly place: ModulePlace;
  readonly maxOutputBytes: number;
}

/**
 * Makes the run of a module, in a process of its own for each file. The process is stopped if it exceeds a limit. When
 * it has ended, processes that it has started and left are killed.
 */
export function runModule(
  { place, maxOutputBytes }: LimitedModule,
  settings: OwnRunSettings & { isolatedEntry: URL },
): RunProcessor {
  const { attemptTimeoutMs: timeoutMs, isolatedEntry, environment, nodeOptions } = settings;
  return async (context, hooks) =>
    await withRunFolder(async (temporaryFolder) => {
      const mark = newRunMark();
      const run = isolatedRunner(isolatedEntry, {
        timeoutMs,
        moduleArguments: isolatedArguments({ place, temporaryFolder }),
        environment: { ...(environment ?? childEnvironment('isolated')), [mark.name]: mark.value },
        ...(nodeOptions === undefined ? {} : { nodeOptions }),
        keepsOutput: true,
      });
      const limited = limitOutput(context, temporaryFolder, maxOutputBytes);
      try {
        const result = await run(limited.context, hooks);
        await limited.check();
        return result;
      } finally {
        limited.end();
        killProcessesOf(mark);
      }
    });
}

/** A context that aborts a run which publishes and writes too much. */
interface Limited {
  readonly context: PipelineContext;
  /** Rejects with `UnprocessableError` if the run has exceeded the limit since the last measurement. */
  check(): Promise<void>;
  end(): void;
}

function limitOutput(context: PipelineContext, folder: string, maxOutputBytes: number): Limited {
  const exceeded = new AbortController();
  const stop = (): void => exceeded.abort(tooCostly(`more than ${maxOutputBytes} bytes of output`));
  let publishedBytes = 0;
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      publishedBytes += chunk.length;
      if (publishedBytes > maxOutputBytes) stop();
      exceeded.signal.throwIfAborted();
      yield chunk;
    }
  }
  const watched = { folder, maxOutputBytes, printedBytes: () => publishedBytes };
  const end = watchLimits({ ...watched, onExceeded: stop });
  return {
    // Member by member, because a spread would lose the methods of a context that is a class.
    context: {
      upload: context.upload,
      inputPath: context.inputPath,
      signal: AbortSignal.any([context.signal, exceeded.signal]),
      publishVariant: async (variant, bytes) => await context.publishVariant(variant, bytes),
      publishFile: async (file, chunks) => await context.publishFile(file, counted(chunks)),
    },
    async check() {
      if ((await outputOver(watched)) !== undefined) stop();
      exceeded.signal.throwIfAborted();
    },
    end,
  };
}
