import type { ProcessReport, ServiceFigures } from '../../wire/documents.ts';
import { make, required, setText } from '../dom.ts';
import { formatBytes } from '../format.ts';
import { formatAge, formatCount, formatLatency } from './format-figures.ts';
import { showSparkline } from './sparkline.ts';
import { totalsOf, type Totals } from './totals.ts';
import { warningsOf } from './warnings.ts';

const NOTHING = '–';

/** Shows the tiles and the tables without buttons. */
export function showFigures(figures: ServiceFigures): void {
  const { at, jobs, waiting, processes } = figures;
  const totals = totalsOf(processes);
  tile('held', formatCount(totals.held));
  tile(
    'wake',
    totals.wake === null ? NOTHING : `${formatLatency(totals.wake.p50Ms)} · ${formatLatency(totals.wake.p99Ms)}`,
  );
  tile('received', formatCount(totals.lastMinute.received));
  tile('completed', formatCount(totals.lastMinute.completed));
  tile('failed', formatCount(totals.lastMinute.failed), totals.lastMinute.failed > 0);
  const free = Math.max(0, waiting.capacity - waiting.count);
  tile('waiting', formatCount(waiting.count), free === 0);
  setText(
    required('#free-places', HTMLElement),
    `${formatCount(free)} of ${formatCount(waiting.capacity)} places free`,
  );
  tile('oldest', waiting.oldestMs === null ? NOTHING : formatAge(waiting.oldestMs));
  tile('jobs', `${formatCount(totals.running)} · ${formatCount(jobs.delayed)}`);
  required('#no-workers', HTMLElement).hidden = totals.workers > 0;
  const { workers, pausedWorkers } = totals;
  const pausedNote = required('#workers-paused', HTMLElement);
  pausedNote.hidden = pausedWorkers === 0;
  setText(
    pausedNote,
    `${formatCount(pausedWorkers)} of ${formatCount(workers)} workers take no jobs, because the storage cannot be ` +
      'used. They continue by themselves when it is available.',
  );
  showWarnings(warningsOf(figures));
  showHour(figures.lastHour);
  showSpace(figures);
  showRoutes(totals);
  showProcesses(processes, Date.parse(at));
}

function showWarnings(warnings: readonly string[]): void {
  const list = required('#warnings', HTMLElement);
  list.hidden = warnings.length === 0;
  // Screen readers announce a list that changes, so it changes only with its sentences.
  const shown = [...list.children].map(({ textContent }) => textContent);
  if (shown.join('\n') !== warnings.join('\n')) list.replaceChildren(...warnings.map((text) => make('li', '', text)));
}

function showHour({ received, completed, failed }: ServiceFigures['lastHour']): void {
  showSparkline('received-hour', received);
  showSparkline('completed-hour', completed);
  showSparkline('failed-hour', failed);
}

function showSpace({ storage, redis }: Pick<ServiceFigures, 'storage' | 'redis'>): void {
  tile('storage', storage === null ? NOTHING : formatBytes(storage.freeBytes, 'en-GB'));
  const total = storage === null ? 'a bucket has no limit' : `of ${formatBytes(storage.totalBytes, 'en-GB')}`;
  setText(required('#storage-total', HTMLElement), total);
  tile('redis', redis === null ? NOTHING : formatBytes(redis.usedBytes, 'en-GB'));
  const limit = redis?.maxBytes ?? null;
  setText(
    required('#redis-limit', HTMLElement),
    limit === null ? 'without a limit' : `of ${formatBytes(limit, 'en-GB')}`,
  );
}

function tile(id: string, text: string, isBad = false): void {
  const element = required(`#${id}`, HTMLElement);
  setText(element, text);
  element.classList.toggle('bad', isBad);
}

function showRoutes({ heldByRoute }: Totals): void {
  required('#routes', HTMLElement).hidden = heldByRoute.length === 0;
  required('#routes-none', HTMLElement).hidden = heldByRoute.length > 0;
  const rows = heldByRoute.map(([route, held]) => rowOf([route, formatCount(held)], 1));
  required('#route-rows', HTMLElement).replaceChildren(...rows);
}

function showProcesses(processes: readonly ProcessReport[], nowMs: number): void {
  const rows = processes.map((process) => {
    const held = Object.values(process.held).reduce((sum, count) => sum + count, 0);
    const wakes =
      process.wake === null
        ? [NOTHING, NOTHING]
        : [formatLatency(process.wake.p50Ms), formatLatency(process.wake.p99Ms)];
    const isApi = process.role === 'api';
    const { received, completed } = process.lastMinute;
    const figures = [
      formatAge(Math.max(0, nowMs - Date.parse(process.startedAt))),
      isApi ? formatCount(held) : NOTHING,
      isApi ? NOTHING : process.pausedBy === 'storage' ? 'paused' : formatCount(process.running),
      isApi ? `${formatCount(received)} received` : `${formatCount(completed)} completed`,
    ];
    const row = rowOf(
      [isApi ? 'API' : 'Worker', process.host, String(process.pid), process.version, ...figures, ...wakes],
      4,
    );
    row.children[2]?.classList.add('number');
    return row;
  });
  required('#process-rows', HTMLElement).replaceChildren(...rows);
}

/** Builds a row. Cells from index `numbersFrom` on are aligned as numbers. */
function rowOf(texts: readonly string[], numbersFrom: number): HTMLTableRowElement {
  return make('tr', '', ...texts.map((text, index) => make('td', index >= numbersFrom ? 'number' : '', text)));
}
