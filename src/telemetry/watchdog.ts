import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';

const TICK_MS = 1_000;
const BEAT_MS = 500;

/*
 * A thread of its own, since the one that is watched cannot watch itself. It counts its own ticks and not the
 * time: a process that was paused as a whole has missed none.
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
  if (parentPid !== undefined && process.ppid !== parentPid) return end('the worker is gone, and this process with it');
  if (beats === undefined) return;
  const beat = Atomics.load(beats, 0);
  missed = beat === last ? missed + 1 : 0;
  last = beat;
  if (missed >= ticksAllowed) end('the event loop is stuck, this process ends itself');
}, tickMs);`;

/**
 * Kills this process when its event loop has stood still for `limitMs`: a worker has lost the locks of all its jobs by
 * then, and an API process answers nobody. Ticks of a second thread are counted, so time in which the machine ran
 * neither thread does not count. Does nothing under a debugger. The returned function ends the watch.
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

/** Kills this process when the one that started it is gone, even if its own event loop stands still. */
export function watchParent(): () => void {
  return startThread({ parentPid: process.ppid });
}

function startThread(data: { beats: Int32Array; ticksAllowed: number } | { parentPid: number }): () => void {
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: { ...data, tickMs: TICK_MS } });
  thread.unref();
  return () => void thread.terminate();
}
