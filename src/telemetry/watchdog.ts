import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';

const TICK_MS = 1_000;
const BEAT_MS = 500;

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
 * jobs and an API process answers no request. Time in which the whole process is paused does not count. Does nothing
 * under a debugger. The returned function ends the watch.
 */
export function watchEventLoop(limitMs: number): () => void {
  if (inspector.url() !== undefined) return () => undefined;
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const timer = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS);
  timer.unref();
  const end = startThread({ beats, ticksAllowed: Math.ceil(limitMs / TICK_MS) });
  return () => {
    clearInterval(timer);
    end();
  };
}

/** Kills this process when its parent process is gone, even if its own event loop is blocked. */
export function watchParent(): () => void {
  return startThread({ parentPid: process.ppid });
}

function startThread(data: { beats: Int32Array; ticksAllowed: number } | { parentPid: number }): () => void {
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: { ...data, tickMs: TICK_MS } });
  thread.unref();
  return () => void thread.terminate();
}
