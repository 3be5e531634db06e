import { readdir, readFile } from 'node:fs/promises';
import { residentBytes } from '../../../test/helpers/process-memory.ts';

/** The unit in which Linux counts processor time (`getconf CLK_TCK`). */
const TICK_MS = 10;

/** Positions in `/proc/<pid>/stat` after the name of the program, which ends with the last `)`. */
const PARENT = 1;
const TIMES = [11, 12, 13, 14];

/** Processor time and memory of some processes and all their descendants. */
export interface Usage {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** Reads the present usage. Children that have ended count, because their parent has waited for them. */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  const stats = await readStats();
  const tree = new Set(pids);
  for (let grown = -1; grown !== tree.size;) {
    grown = tree.size;
    for (const [pid, stat] of stats) if (tree.has(Number(stat[PARENT]))) tree.add(pid);
  }
  const cpuMs = [...tree].reduce((total, pid) => total + cpuMsOf(stats.get(pid) ?? []), 0);
  return { cpuMs, residentBytes: [...tree].reduce((total, pid) => total + (residentBytes(pid) || 0), 0) };
}

function cpuMsOf(stat: readonly string[]): number {
  return TICK_MS * TIMES.reduce((total, index) => total + Number(stat[index] ?? 0), 0);
}

async function readStats(): Promise<Map<number, string[]>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(async (pid) => [pid, await readStat(pid)] as const));
  return new Map(stats.filter(([, stat]) => stat.length > 0));
}

/** Returns the fields of the process; empty if it has ended. */
async function readStat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}
