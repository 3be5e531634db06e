import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { every } from './shared-timer.ts';

/** The event loop shows that it runs at least this often. Heartbeats have the same period, so they wake it anyway. */
const BEAT_MS = 3_000;

/** The thread reads the beats this often within the limit. Beats and reads need few wake-ups of an idle process. */
const TICKS_PER_LIMIT = 5;

/** Period in which the thread looks for the parent process. */
const PARENT_PERIOD_MS = 1_000;

/*
 * A second thread watches the event loop, because a blocked loop cannot watch itself. It counts its own ticks instead
 * of the time, so a process that was paused as a whole has missed none.
 */
const THREAD = `
const { writeSync } = require('node:fs');
const { beats, ticksAllowed, parentPid, tickMs } = require('node:worker_threads').workerData;
let last = -1, missed = 0;
function end(msg) {
  try { writeSync(1, JSON.stringify({ level: 'fatal', time: new Date().toISOString(), pid: process.pid, msg }) + '\\n'); } catch {}
  process.kill(process.pid, 'SIGKILL');
}
setInterval(() => {
  if (parentPid !== undefined && process.ppid !== parentPid) return end('the parent process is gone, this process ends itself');
  if (beats === undefined) return;
  const beat = Atomics.load(beats, 0);
  missed = beat === last ? missed + 1 : 0;
  last = beat;
  if (missed >= ticksAllowed) end('the event loop is stuck, this process ends itself');
}, tickMs);`;

/**
 * Kills this process if its event loop is blocked for `limitMs`, because by then a worker has lost the locks of its
 * jobs and an API process answers no request. The kill comes up to 1.6 times `limitMs` after the block began: after 11
 * to 16 s with a limit of 10 s, and after 33 to 42 s with a limit of 30 s. Time in which the whole process is paused
 * does not count. Does nothing under a debugger. The returned function ends the watch.
 */
export function watchEventLoop(limitMs: number): () => void {
  if (inspector.url() !== undefined) return () => undefined;
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const beatMs = Math.min(BEAT_MS, limitMs / 2);
  const stopBeats = every(beatMs, () => Atomics.add(beats, 0, 1));
  const tickMs = limitMs / TICKS_PER_LIMIT;
  // The last beat may have been this long before the loop was blocked.
  const end = startThread({ beats, ticksAllowed: Math.ceil((limitMs + beatMs) / tickMs), tickMs });
  return () => {
    stopBeats();
    end();
  };
}

/** Kills this process when its parent process is gone, even if its own event loop is blocked. */
export function watchParent(): () => void {
  return startThread({ parentPid: process.ppid, tickMs: PARENT_PERIOD_MS });
}

type ThreadData = { tickMs: number } & ({ beats: Int32Array; ticksAllowed: number } | { parentPid: number });

function startThread(workerData: ThreadData): () => void {
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData });
  thread.unref();
  return () => void thread.terminate();
}
