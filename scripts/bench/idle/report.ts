import { median, sum } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets, type Target } from '../lib/table.ts';

/** The processes of `npm start`, in the order of the table. */
const ROLES = ['api', 'workers', 'redis', 'supervisor'] as const;
export type Role = (typeof ROLES)[number];

/** One round. */
export type IdleRound = Readonly<Record<Role, RoleFigures>>;

interface RoleFigures {
  /** Percent of one core. */
  percent: number;
  /** Wake-ups per second. */
  wakeUps: number;
  memoryBytes: number;
}

/** All rounds with one number of workers. */
export interface IdleFigures {
  workers: number;
  rounds: IdleRound[];
}

const MB = 1e6;

/** For everything that `npm start` runs, with the number of workers that it starts before the first upload. */
const ALL_PERCENT_TARGET = 1;
const ALL_MB_TARGET = 200;
/** For an API process, two workers and Redis. */
const PARTS_PERCENT_TARGET = 0.3;

const HEADINGS = ['', '% of a core', 'wake-ups a second', 'memory MB'];
const TITLES: Readonly<Record<Role, string>> = {
  api: 'API process',
  workers: 'workers',
  redis: 'Redis, with its append-only file',
  supervisor: 'supervisor',
};

/** Returns a table for each number of workers, and the state of the targets. */
export function reportIdle(
  figures: readonly IdleFigures[],
  { settle, seconds, rounds }: { settle: number; seconds: number; rounds: number },
): string {
  const times = `from ${settle} s after its start; medians of ${rounds} rounds of ${seconds} s`;
  const title = `npm start with nothing to do, ${times}`;
  const note = 'memory: PSS, which divides shared memory among its processes';
  return [title, ...figures.map(tableOf), note, formatTargets(targetsOf(figures))].join('\n\n');
}

function tableOf({ workers, rounds }: IdleFigures): string {
  const rowOf = (title: string, roles: readonly Role[]) => [
    title,
    figure(total(rounds, 'percent', roles), 2),
    figure(total(rounds, 'wakeUps', roles), 1),
    figure(total(rounds, 'memoryBytes', roles) / MB, 0),
  ];
  const rows = [...ROLES.map((role) => rowOf(TITLES[role], [role])), rowOf('all', ROLES)];
  return `${workers} worker${workers === 1 ? '' : 's'}\n${formatTable(HEADINGS, rows)}`;
}

function targetsOf(figures: readonly IdleFigures[]): Target[] {
  const [one = [], two = []] = figures.map(({ rounds }) => rounds);
  return [
    { what: '1 worker: all, % of a core', value: total(one, 'percent', ROLES), most: ALL_PERCENT_TARGET },
    { what: '1 worker: all, memory MB', value: total(one, 'memoryBytes', ROLES) / MB, most: ALL_MB_TARGET, digits: 0 },
    {
      what: '2 workers: API, workers and Redis, % of a core',
      value: total(two, 'percent', ['api', 'workers', 'redis']),
      most: PARTS_PERCENT_TARGET,
    },
  ];
}

/** Returns the median over the rounds of the sum of these processes. */
function total(rounds: readonly IdleRound[], pick: keyof RoleFigures, roles: readonly Role[]): number {
  return median(rounds.map((round) => sum(roles.map((role) => round[role][pick]))));
}
