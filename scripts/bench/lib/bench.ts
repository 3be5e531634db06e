import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

type Numbers = Readonly<Record<string, number>>;

/** A benchmark, or a part of one, for `npm run bench -- <name>`. */
export interface Bench<D extends Numbers = Numbers> {
  /** Also names its section in docs/benchmarks.md. The name of a part has two words, such as `scale stall`. */
  readonly name: string;
  /** One line about what it measures. */
  readonly summary: string;
  /** The options with numbers, such as `--name 5`, with their defaults. */
  readonly defaults: D;
  /** Numbers that `--quick` uses instead of the defaults. */
  readonly quick: Partial<D>;
  /** Measures and resolves with the tables. Sets what an interrupted run prints (`onInterrupt`). */
  run(options: D & CommonOptions): Promise<string>;
}

/** The other options of every benchmark. */
export interface CommonOptions {
  /** Node options for all servers measured. */
  serverOptions: readonly string[];
  /** Directory for the profiles of the servers, or undefined. */
  profile: string | undefined;
  /** If true, the tables are also written to docs/benchmarks.md. */
  write: boolean;
}

/** The usage text of the options of every benchmark. */
export const COMMON_USAGE = '--quick --write --profile <directory> --node-options="<options of the servers>"';

/**
 * Parses options such as `--rounds 5`. `--quick` replaces the defaults by those of `quick`: enough to see that a
 * benchmark runs, too few for a figure to rely on, so it excludes `--write`. Throws for a name that is not in
 * `defaults`, and for a value that is not a positive number.
 */
export function parseOptions<D extends Numbers>(
  args: readonly string[],
  defaults: D,
  quick: Partial<D>,
): D & CommonOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: text,
      quick: { type: 'boolean' },
      write: { type: 'boolean' },
      'node-options': text,
      ...Object.fromEntries(Object.keys(defaults).map((name) => [name, text])),
    },
  });
  const { profile, quick: isQuick, write, 'node-options': nodeOptions, ...numbers } = values;
  if (isQuick === true && write === true)
    throw new Error('--quick is too short for a figure in the docs; leave out --quick or --write');
  const given = Object.entries(numbers).map(([name, number]) => [name, positive(name, String(number))] as const);
  return {
    ...defaults,
    ...(isQuick === true ? quick : {}),
    ...Object.fromEntries(given),
    write: write === true,
    profile: typeof profile === 'string' ? resolve(profile) : undefined,
    serverOptions: typeof nodeOptions === 'string' ? nodeOptions.split(' ').filter((option) => option !== '') : [],
  };
}

let reportSoFar: (() => string) | undefined;

/** Sets the tables that are printed if the run is interrupted or fails. They may have rounds without figures. */
export function onInterrupt(report: (() => string) | undefined): void {
  reportSoFar = report;
}

/** Prints the figures of a run that is interrupted or fails. */
export function printSoFar(): void {
  if (reportSoFar !== undefined)
    console.log(`not complete; the figures so far, perhaps of fewer rounds than the titles say:\n\n${reportSoFar()}`);
  reportSoFar = undefined;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} takes a positive number, not ${text}`);
  return value;
}

/** Prints progress to standard error. Only figures go to standard output. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
