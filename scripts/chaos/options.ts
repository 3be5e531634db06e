import { parseArgs } from 'node:util';

/** The options of one run. Every number is a positive integer. */
export interface ChaosOptions {
  uploads: number;
  /** Uploads start and faults happen during this time. The end takes extra time. */
  seconds: number;
  apis: number;
  workers: number;
  /** The seed of everything random. The plan is the same for the same seed; the timing of the machine is not. */
  seed: number;
  /** The number of faults. Default: about one every 1.2 s. */
  faults?: number;
  /**
   * If true, Redis syncs once a second and loses the last second of its log with each death. Otherwise it syncs each
   * write.
   */
  powerLoss: boolean;
  /** If true, the clients have tickets of two tenants, each with a quota. Otherwise everyone may upload. */
  tenants: boolean;
  /** After the last fault, everything must be final and cleaned up within this time. */
  settleSeconds: number;
}

const DEFAULTS = { uploads: 2000, seconds: 75, apis: 3, workers: 3, settle: 120 };

/** The usage line. */
export const USAGE =
  `npm run chaos -- [--uploads ${DEFAULTS.uploads}] [--seconds ${DEFAULTS.seconds}] [--apis ${DEFAULTS.apis}]` +
  ` [--workers ${DEFAULTS.workers}] [--seed <number>] [--faults <number>] [--settle ${DEFAULTS.settle}]` +
  ' [--power-loss] [--tenants]';

/**
 * Reads the command line. Throws an error for the user if an option is invalid. The default seed comes from the time.
 */
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
      tenants: { type: 'boolean' },
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
    tenants: values.tenants === true,
    settleSeconds: number('settle'),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a positive whole number, not ${text}`);
  return Number(text);
}
