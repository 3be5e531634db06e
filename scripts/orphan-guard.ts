import { spawn } from 'node:child_process';
import { childEnvironment } from '../src/settings/config.ts';

/*
 * A pipe to the guard closes when its writer dies, however it dies; `read` then ends. The guard
 * looks at the pid once a second, so that it never waits for, nor signals, one that has gone.
 */
const GUARD = `
read -r _
left=$2
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -"$3" "$1" 2>/dev/null`;

/**
 * Ends process `pid` when this process is gone, even by SIGKILL, and `pid` has not gone by
 * itself within `afterSeconds` (whole seconds). For children that cannot notice on their own,
 * as Node processes do when their IPC channel closes. The returned function calls the guard
 * off: call it as soon as `pid` has exited, before its number can be given to another process.
 */
export function guardAgainstOrphan(pid: number, afterSeconds: number, signal: 'TERM' | 'KILL'): () => void {
  const args = ['-c', GUARD, 'orphan-guard', String(pid), String(afterSeconds), signal];
  const guard = spawn('/bin/sh', args, {
    detached: true,
    env: childEnvironment('server'),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  // Neither the guard nor the pipe to it keeps this process alive.
  guard.unref();
  return () => void guard.kill('SIGKILL');
}
