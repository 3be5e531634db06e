import { checkProcessor, isObject } from './check-definition.ts';
import type { ProcessorDefinition } from './definition.ts';
import { defaultExport } from './default-export.ts';
import { importFrom, type ModulePlace } from './import-from.ts';
import { PROCESSOR_INTERFACE } from './processor-interface.ts';

/** A module that takes longer to load probably waits for an event that never comes. */
const LOAD_WITHIN_MS = 30_000;

/** Imports a module and checks its default export. */
export async function loadDefinition(place: ModulePlace): Promise<ProcessorDefinition<unknown>> {
  const module = await withinLoadTime(importFrom(place));
  if (!('default' in module)) throw new Error('the module has no default export; export the result of defineProcessor');
  return requireDefinition(defaultExport(module['default']), 'its default export');
}

async function withinLoadTime<Module>(loading: Promise<Module>): Promise<Module> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const error = new Error(`the module has not loaded within ${LOAD_WITHIN_MS / 1000} s`);
    timer = setTimeout(() => reject(error), LOAD_WITHIN_MS);
  });
  return await Promise.race([loading, tooLate]).finally(() => clearTimeout(timer));
}

/**
 * Repeats the checks of `defineProcessor`, because another copy or version of it may have made the object. Throws an
 * error whose message lists all mistakes.
 */
export function requireDefinition(value: unknown, what: string): ProcessorDefinition<unknown> {
  const version = isObject(value) ? value['interfaceVersion'] : undefined;
  if (version === undefined) throw new Error(`${what} was not made by defineProcessor`);
  if (version !== PROCESSOR_INTERFACE)
    throw new Error(
      `${what} has version ${JSON.stringify(version)} of the interface of processors; this service supports ` +
        `version ${PROCESSOR_INTERFACE}`,
    );
  const mistakes = checkProcessor(value);
  if (mistakes.length > 0) throw new Error(mistakes.join('; '));
  // `checkProcessor` has checked its shape.
  return value as ProcessorDefinition<unknown>;
}
