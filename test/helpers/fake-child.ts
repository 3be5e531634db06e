import { readFileSync } from 'node:fs';
import type { ChildSpec } from '../../scripts/child-life.ts';
import { patienceMs } from './patience.ts';

/** The file to which small Node processes write their events, one per line. */
export interface EventLog {
  readonly file: string;
}

/** What a fake child does besides starting. */
export interface FakeChildOptions {
  readonly role?: string;
  readonly graceMs?: number;
  /** Replaces the message that the child is ready, and its further life. */
  readonly script?: string;
  /** Replaces writing `<name> stopped` and exiting. */
  readonly onTerm?: string;
}

/** Makes a child that is ready at once, and exits at SIGTERM or when its supervisor has ended. */
export function fakeChild(eventLog: EventLog, name: string, options: FakeChildOptions = {}): ChildSpec {
  const {
    role = name,
    graceMs = patienceMs(5000),
    script = LIVE_ON,
    onTerm = `write('stopped'); process.exit()`,
  } = options;
  return {
    name,
    role,
    command: process.execPath,
    args: [
      '-e',
      `${PREAMBLE}\nprocess.on('SIGTERM', () => { ${onTerm} });\nwrite('started ' + process.pid);\n${script}`,
    ],
    env: { EVENT_LOG: eventLog.file, NAME: name },
    ready: { type: 'ready' },
    graceMs,
  };
}

/** Returns the lines written so far, in order. */
export function readEventLog(eventLog: EventLog): string[] {
  return readFileSync(eventLog.file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean);
}

/** Returns the pid in the last `<name> started <pid>`. */
export function startedPid(eventLog: EventLog, name: string): number | undefined {
  const line = readEventLog(eventLog).findLast((one) => one.startsWith(`${name} started `));
  return line === undefined ? undefined : Number(line.split(' ')[2]);
}

const PREAMBLE = `
  const write = (what) => require('node:fs').appendFileSync(process.env.EVENT_LOG, process.env.NAME + ' ' + what + '\\n');
  process.on('disconnect', () => { write('orphaned'); process.exit(); });`;

const LIVE_ON = `process.send({ type: 'ready', name: process.env.NAME }); setInterval(() => {}, 1000);`;
