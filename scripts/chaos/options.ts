import { parseArgs } from 'node:util';

/** What one run is to be. Every number is a positive whole one. */
export interface ChaosOptions {
  uploads: number;
  /** Over so many seconds uploads begin and faults happen; the end takes its own time. */
  seconds: number;
  apis: number;
  workers: number;
  /** Of all that is random. What is timed by the machine is not the same again, what happens when is. */
  seed: number;
  /** How many faults; undefined: about one each 1.2 s. */
  faults?: number;
  /** Redis loses the last second of its log with each of its deaths, as with its machine, and syncs each second; else it syncs each write. */
  powerLoss: boolean;
  /** When all faults are over, so long may it take until everything is final and in order. */
  settleSeconds: number;
}

const DEFAULTS = { uploads: 2000, seconds: 75, apis: 3, workers: 3, settle: 120 };

/** How it is called. */
export const USAGE = `npm run chaos -- [--uploads ${DEFAULTS.uploads}] [--seconds ${DEFAULTS.seconds}] [--apis ${DEFAULTS.apis}] [--workers ${DEFAULTS.workers}] [--seed <number>] [--faults <number>] [--settle ${DEFAULTS.settle}] [--power-loss]`;

/** Reads the command line. Throws, with the line to show, for what is none of it. Without a seed it is the time. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      uploads: text,
      seconds: text,
      apis: text,
      workers: text,
      seed: text,
      faults: text,
      settle: text,
      'power-loss': { type: 'boolean' },
    },
  });
  const number = (name: 'uploads' | 'seconds' | 'apis' | 'workers' | 'settle') =>
    wholeNumber(name, values[name] ?? String(DEFAULTS[name]));
  return {
    uploads: number('uploads'),
    seconds: number('seconds'),
    apis: number('apis'),
    workers: number('workers'),
    seed: wholeNumber('seed', values.seed ?? String(Date.now() % 1_000_000)),
    ...(values.faults === undefined ? {} : { faults: wholeNumber('faults', values.faults) }),
    powerLoss: values['power-loss'] === true,
    settleSeconds: number('settle'),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a positive whole number, not ${text}`);
  return Number(text);
}
