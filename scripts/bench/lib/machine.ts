import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { run } from '../../setup/command.mjs';
import { projectRoot } from '../../setup/project-root.mjs';
import { ensureRedisServer } from '../../setup/redis-binary.mjs';

/** Returns a few lines about the machine. */
export async function machineFacts(): Promise<string> {
  const { version } = await ensureRedisServer(console.log);
  const processors = cpus();
  const gib = totalmem() / 2 ** 30;
  return [
    `machine   ${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} cores, ${gib.toFixed(0)} GiB, ${type()} ${release()}`,
    `software  ${await ownVersion()}, node ${process.version}, redis-server ${version}`,
    `taken     ${new Date().toISOString()}, load average before the start ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
  ].join('\n');
}

/** Returns the version of this package, with the commit if it is known. */
async function ownVersion(): Promise<string> {
  const text = await readFile(join(projectRoot, 'package.json'), 'utf8');
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  const { code, output } = await run('git', ['rev-parse', '--short', 'HEAD'], { cwd: projectRoot });
  return [name, version, ...(code === 0 ? [`(${output.trim()})`] : [])].join(' ');
}

/** Throws with a line for the user if a process may not open `wanted` files. */
export function assertOpenFiles(wanted: number): void {
  const allowed = softOpenFilesLimit();
  if (allowed >= wanted) return;
  throw new Error(
    `a process needs ${wanted} open files, but only ${allowed} are allowed; run ulimit -n ${wanted} or hold fewer`,
  );
}

function softOpenFilesLimit(): number {
  const report: unknown = process.report.getReport();
  const limits = objectIn(objectIn(report, 'userLimits'), 'open_files');
  const soft = typeof limits === 'object' && limits !== null && 'soft' in limits ? limits.soft : undefined;
  return typeof soft === 'number' ? soft : Infinity;
}

function objectIn(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null
    ? Object.entries(holder).find(([key]) => key === name)?.[1]
    : undefined;
}
