import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;
const KIB = 1024;

/** The use of some processes since their start. */
export interface ProcessUsage {
  /** Processor time of all threads that still run. `/proc/<pid>/stat` counts only in steps of 10 ms. */
  readonly cpuMs: number;
  /** Voluntary context switches. Each ends with a wake-up. */
  readonly wakeUps: number;
  /** Memory (PSS). Memory that several processes share is divided among them. */
  readonly memoryBytes: number;
}

/** Reads the use from `/proc`, which only Linux has. */
export function readUsage(pids: readonly number[]): ProcessUsage {
  const threads = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`));
  const add = (paths: readonly string[], read: (path: string) => number) =>
    paths.reduce((total, path) => total + read(path), 0);
  return {
    cpuMs: add(threads, (thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / NS_PER_MS),
    wakeUps: add(threads, (thread) => lineOf(`${thread}/status`, 'voluntary_ctxt_switches')),
    memoryBytes: add(
      pids.map((pid) => `/proc/${pid}/smaps_rollup`),
      (path) => KIB * lineOf(path, 'Pss'),
    ),
  };
}

function lineOf(path: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync(path, 'utf8'))?.[1]);
}
