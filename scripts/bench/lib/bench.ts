import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What `npm run bench -- <name>` runs. */
export interface Bench {
  readonly name: string;
  /** What it measures, in one line. */
  readonly summary: string;
  /** The numbers that may be given as `--name 5`, with their defaults. */
  readonly defaults: Readonly<Record<string, number>>;
  run(args: readonly string[]): Promise<void>;
}

/** What is given with every benchmark, beside its numbers. */
export interface CommonOptions {
  /** Node options for all servers measured. */
  serverOptions: readonly string[];
  /** Where the servers leave their profiles; undefined where none are wanted. */
  profile: string | undefined;
}

/** The options that every benchmark takes, as a person types them. */
export const COMMON_USAGE = '--profile <directory> --node-options="<options of the servers>"';

/**
 * Reads `--rounds 5` and its like. Throws for a name that `defaults` does not hold, and for what is no positive number.
 */
export function parseOptions<D extends Record<string, number>>(
  args: readonly string[],
  defaults: D,
): D & CommonOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: text,
      'node-options': text,
      ...Object.fromEntries(Object.keys(defaults).map((name) => [name, text])),
    },
  });
  const { profile, 'node-options': nodeOptions, ...numbers } = values;
  const given = Object.entries(numbers).map(([name, number]) => [name, positive(name, String(number))] as const);
  return {
    ...defaults,
    ...Object.fromEntries(given),
    profile: typeof profile === 'string' ? resolve(profile) : undefined,
    serverOptions: typeof nodeOptions === 'string' ? nodeOptions.split(' ').filter((option) => option !== '') : [],
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} takes a positive number, not ${text}`);
  return value;
}

/** Says what is being done; figures go to standard output, this does not. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
