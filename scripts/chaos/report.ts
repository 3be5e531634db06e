import { formatTable } from '../bench/lib/table.ts';
import type { Check } from './checks/check.ts';
import type { ClientResult } from './clients/client.ts';
import { FAULT_KINDS, faultLine, type Fault } from './fault-schedule.ts';
import type { ChaosOptions } from './options.ts';
import type { ChaosOutcome } from './run-chaos.ts';

const MOST_FINDINGS = 20;

/** Formats the plan, with the command that repeats it. */
export function formatPlan(options: ChaosOptions, faults: readonly Fault[]): string {
  const { uploads, seconds, apis, workers, seed, powerLoss, tenants } = options;
  const again =
    `npm run chaos -- --uploads ${uploads} --seconds ${seconds} --apis ${apis} ` +
    `--workers ${workers} --seed ${seed}${powerLoss ? ' --power-loss' : ''}${tenants ? ' --tenants' : ''}`;
  return [again, `${faults.length} faults:`, ...faults.map(faultLine)].join('\n');
}

/** Formats the outcome as tables. The last line says whether all checks passed. */
export function formatReport(outcome: ChaosOutcome): string {
  const { results, clientLog, injector, checks, fleet, changes, attempts, settledMs, evidence } = outcome;
  const failed = checks.filter(({ findings }) => findings.length > 0);
  return [
    formatTable(
      ['uploads', ''],
      [...countBy(results, endOf)].map(([end, count]) => [end, String(count)]),
    ),
    formatTable(
      ['faults', ''],
      FAULT_KINDS.flatMap((kind) => (injector.counts.has(kind) ? [[kind, String(injector.counts.get(kind))]] : [])),
    ),
    formatTable(
      ['failed requests that were sent again', ''],
      [...clientLog.failures].map(([reason, count]) => [reason, String(count)]),
    ),
    formatTable(
      ['figures', ''],
      [
        ['answers', String(clientLog.answers)],
        ['changes of records', String(changes)],
        ['processes begun', String([...fleet.apis, ...fleet.workers].reduce((sum, { starts }) => sum + starts, 0))],
        ['bytes that Redis lost', String(injector.lostBytes)],
        ['longest time without an answer, s', (clientLog.longestSilenceMs / 1000).toFixed(1)],
        ['from the last fault to the last client, s', (settledMs / 1000).toFixed(1)],
        ...[...attempts]
          .sort(([left], [right]) => left - right)
          .map(([count, uploads]) => [`uploads that took ${count} attempts`, String(uploads)]),
      ],
    ),
    ...checks.map(formatCheck),
    ...(evidence.length === 0 ? [] : [`evidence:\n${evidence.join('\n')}`]),
    failed.length === 0 ? `all ${checks.length} checks passed` : `${failed.length} of ${checks.length} checks FAILED`,
  ].join('\n\n');
}

function endOf({ acceptedAtMs, ended, isOutOfTime }: ClientResult): string {
  if (isOutOfTime) return 'out of time';
  return acceptedAtMs === undefined ? 'stopped before it was accepted' : (ended ?? 'not seen');
}

function countBy<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of list) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  return counts;
}

function formatCheck({ name, findings }: Check): string {
  if (findings.length === 0) return `passed  ${name}`;
  return [
    `FAILED  ${name}: ${findings.length}`,
    ...findings.slice(0, MOST_FINDINGS).map((finding) => `          ${finding}`),
  ].join('\n');
}
