import { readFileSync } from 'node:fs';
import type { ChildSpec } from '../../scripts/child-life.ts';
import { patienceMs } from './patience.ts';

/** Small Node processes that write what happens to them into a diary, one line an event. */
export interface Diary {
  readonly file: string;
}

/** What a fake child does beyond being up. */
export interface FakeChildOptions {
  readonly role?: string;
  readonly graceMs?: number;
  /** Instead of saying that it is up and living on. */
  readonly script?: string;
  /** Instead of writing `<name> stopped` and leaving. */
  readonly onTerm?: string;
}

/** A child that is up at once, and leaves when it is told to or when its supervisor has gone. */
export function fakeChild(diary: Diary, name: string, options: FakeChildOptions = {}): ChildSpec {
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
    env: { DIARY: diary.file, NAME: name },
    ready: { type: 'ready' },
    graceMs,
  };
}

/** The lines written so far, in order. */
export function readDiary(diary: Diary): string[] {
  return readFileSync(diary.file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean);
}

/** The pid in the last `<name> started <pid>`. */
export function startedPid(diary: Diary, name: string): number | undefined {
  const line = readDiary(diary).findLast((one) => one.startsWith(`${name} started `));
  return line === undefined ? undefined : Number(line.split(' ')[2]);
}

const PREAMBLE = `
  const write = (what) => require('node:fs').appendFileSync(process.env.DIARY, process.env.NAME + ' ' + what + '\\n');
  process.on('disconnect', () => { write('orphaned'); process.exit(); });`;

const LIVE_ON = `process.send({ type: 'ready', name: process.env.NAME }); setInterval(() => {}, 1000);`;
