import { spawn } from 'node:child_process';
import { childEnvironment } from '../src/settings/config.ts';

/**
 * The pipe to the guard closes when its writer dies, and `read` returns. The guard then checks the pid once a second,
 * so that it never waits for or signals a process that has ended.
 */
const GUARD = `
read -r _
left=$2
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -"$3" "$1" 2>/dev/null`;

/**
 * Ends process `pid` if this process dies (even by SIGKILL) and `pid` does not end within `afterSeconds` (an integer).
 * For children that cannot notice it themselves; Node processes can, because their IPC channel closes. The returned
 * function removes the guard. Call it as soon as `pid` has exited, before its number can be reused.
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
  // Neither the guard nor its pipe keeps this process alive.
  guard.unref();
  return () => void guard.kill('SIGKILL');
}
