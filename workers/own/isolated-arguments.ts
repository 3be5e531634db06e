import type { ModulePlace } from '../../src/kinds/own/import-from.ts';

/** The parameters of a run that the isolated process of a module receives at its start. */
interface IsolatedArguments {
  readonly place: ModulePlace;
  readonly temporaryFolder: string;
}

/** Returns the only argument of the isolated process. */
export function isolatedArguments(given: IsolatedArguments): readonly [string] {
  return [JSON.stringify(given)];
}

/** Reads the argument. Only the worker writes it, so its form is not checked. */
export function readIsolatedArguments(argument = '{}'): IsolatedArguments {
  return JSON.parse(argument) as IsolatedArguments;
}
