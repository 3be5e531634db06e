import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { onInterrupt, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { withSession, type Session } from '../lib/session.ts';
import { CSV_KINDS, writeCsv, type CsvKind } from './csv.ts';
import type { BareQuestions, BareWay } from './questions.ts';
import { report, type KindFigures } from './report.ts';
import { startWholeService } from './service.ts';

const defaults = { rows: 1_000_000, rounds: 3 };
const quick = { rows: 100_000, rounds: 1 };

const MB = 1e6;
const MS_PER_SECOND = 1000;

/** The number of rows that are enough to compile all code in every process. */
const WARM_UP_ROWS = 50_000;

/** Compares the service on large tables, from the first byte to the result, with plain csv-parse. */
export const tables: Bench<typeof defaults> = {
  name: 'tables',
  summary: 'a CSV of a million rows, through the whole service, beside bare csv-parse',
  defaults,
  quick,
  async run(options) {
    return await withSession(async (session) => {
      const figures: KindFigures[] = [];
      onInterrupt(() => report(figures));
      for (const kind of CSV_KINDS) await measureKind(session, kind, options, figures);
      return report(figures);
    });
  },
};

/** Measures one kind of table and adds its figures. In each round all contestants read the same file in turn. */
async function measureKind(
  session: Session,
  kind: CsvKind,
  { rows, rounds, profile, serverOptions }: typeof defaults & CommonOptions,
  all: KindFigures[],
): Promise<void> {
  say(`${kind.title}: warming up`);
  const [small, large] = [join(session.directory, 'small.csv'), join(session.directory, 'large.csv')];
  await Promise.all([writeCsv(kind, WARM_UP_ROWS, small), writeCsv(kind, rows, large)]);
  // Node names the profiles itself, by time and process.
  const service = await startWholeService(session, [
    ...serverOptions,
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
  ]);
  const bare = session.start<BareQuestions>('../tables/children/bare');
  try {
    await readAll(session, bare, small);
    await service.digest(small, WARM_UP_ROWS);
    const workerGrowth = service.watchWorker();
    const heading = `${rows} rows of ${kind.title}, ${((await stat(large)).size / MB).toFixed(0)} MB; medians of ${rounds} rounds`;
    const figures: KindFigures = { heading, rows, service: [], records: [], jsonLines: [], workerGrowth: Number.NaN };
    all.push(figures);
    for (let round = 1; round <= rounds; round += 1) {
      say(`${kind.title}: round ${round} of ${rounds}`);
      figures.service.push(await service.digest(large, rows));
      const { records, jsonLines } = await readAll(session, bare, large);
      figures.records.push(records);
      figures.jsonLines.push(jsonLines);
    }
    figures.workerGrowth = workerGrowth();
  } finally {
    await Promise.all([service.end(), bare.end()]);
  }
}

/** Returns the seconds of each way. */
async function readAll(
  { directory }: Session,
  bare: Child<BareQuestions>,
  path: string,
): Promise<{ records: number; jsonLines: number }> {
  const read = async (way: BareWay) => {
    const startedMs = performance.now();
    await bare.ask('read', { way, path, outputPath: join(directory, 'bare.jsonl') });
    return (performance.now() - startedMs) / MS_PER_SECOND;
  };
  return { records: await read('records'), jsonLines: await read('json-lines') };
}
