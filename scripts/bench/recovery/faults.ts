import { randomUUID } from 'node:crypto';
import { eventually } from '../../../test/helpers/eventually.ts';
import { faultyFile, readEventLog, type Act } from '../../../test/helpers/faulty/faults.ts';
import { FaultyUpload } from '../../../test/helpers/faulty/upload.ts';
import { rawRequest } from '../../../test/helpers/raw-request.ts';
import type { Fleet } from './fleet.ts';

/** Milliseconds from a fault to each event; NaN if the event does not occur. */
export interface RecoveryTimes {
  /** Time until the next attempt begins. For a cancel: time until the signal of the processor fires. */
  next: number;
  /** Time until a client whose request was held before the fault reads the outcome. */
  notified: number;
  /** Time until a new worker takes jobs. */
  back: number;
}

/** One fault, with default settings except for the named ones. */
export interface Fault {
  readonly title: string;
  readonly workers: number;
  readonly env: Readonly<Record<string, string>>;
  measure(fleet: Fleet): Promise<RecoveryTimes>;
}

const TIME_LIMIT_MS = 2_000;
const GRACE_MS = 1_000;

/** Causes the fault during the first attempt, and resolves with the time at which the measurement starts. */
type Inject = (fleet: Fleet, pid: number, begunAtMs: number) => Promise<number> | number;

const atOnce: Inject = (_fleet, _pid, begunAtMs) => begunAtMs;
const whenItDies: Inject = async (fleet, _pid, begunAtMs) => await fleet.diedAfter(begunAtMs);

function signal(name: NodeJS.Signals): Inject {
  return (_fleet, pid) => {
    process.kill(pid, name);
    return Date.now();
  };
}

/** Runs an upload whose first attempt has the fault, and measures its outcome. */
function fault(
  title: string,
  about: {
    workers?: number;
    env?: Record<string, string>;
    attempts: Act[][];
    inject: Inject;
    dies?: boolean;
    wakes?: boolean;
  },
): Fault {
  const { workers = 2, env = {}, attempts, inject, dies = true, wakes = false } = about;
  return {
    title,
    workers,
    env,
    async measure(fleet) {
      const upload = await new FaultyUpload(fleet.service).send(attempts);
      const outcome = upload.outcome().then(() => Date.now());
      const pid = await upload.begun(1);
      const atMs = await inject(fleet, pid, begunAtMs(upload)[0] ?? 0);
      const notifiedAtMs = await outcome;
      if (wakes) process.kill(pid, 'SIGCONT');
      await upload.release();
      const nextAtMs = begunAtMs(upload)[1] ?? Number.NaN;
      return {
        next: nextAtMs - atMs,
        notified: notifiedAtMs - atMs,
        back: dies ? (await fleet.readyAfter(atMs)) - atMs : Number.NaN,
      };
    },
  };
}

function begunAtMs({ eventLog }: FaultyUpload): number[] {
  return readEventLog(eventLog)
    .filter(({ event }) => event === 'began')
    .map(({ atMs }) => atMs);
}

async function cancelAnywhere(fleet: Fleet, id: string): Promise<void> {
  await fetch(`${fleet.service.urls[1] ?? ''}/uploads/${id}/cancel`, { method: 'POST' });
}

const cancelAtWork: Fault = {
  title: 'cancel of an upload in a worker',
  workers: 1,
  env: {},
  async measure(fleet) {
    const upload = await new FaultyUpload(fleet.service).send([['wait']]);
    const outcome = upload.outcome().then(() => Date.now());
    await upload.begun(1);
    const atMs = Date.now();
    await cancelAnywhere(fleet, upload.id);
    const aborted = await eventually('the signal', () =>
      readEventLog(upload.eventLog).find(({ event }) => event === 'aborted'),
    );
    return { next: aborted.atMs - atMs, notified: (await outcome) - atMs, back: Number.NaN };
  },
};

const cancelReceiving: Fault = {
  title: 'cancel of an upload that is still received',
  workers: 1,
  env: {},
  async measure(fleet) {
    const id = randomUUID();
    const bytes = faultyFile({ eventLog: '', attempts: [] });
    const head = `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * bytes.length}\r\n\r\n`;
    const answered = rawRequest(fleet.service.url, head, bytes).then(() => Date.now());
    await eventually('its bytes', async () => {
      const progress = (await (await fetch(`${fleet.service.url}/uploads/${id}/progress`)).json()) as {
        bytes?: { received: number };
      };
      return (progress.bytes?.received ?? 0) > 0;
    });
    const atMs = Date.now();
    await cancelAnywhere(fleet, id);
    return { next: Number.NaN, notified: (await answered) - atMs, back: Number.NaN };
  },
};

/** All faults, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  fault('worker killed (SIGKILL), another is there', { attempts: [['hang'], ['finish']], inject: signal('SIGKILL') }),
  fault('the only worker killed (SIGKILL)', {
    workers: 1,
    attempts: [['hang'], ['finish']],
    inject: signal('SIGKILL'),
  }),
  fault('worker paused (SIGSTOP), woken after the outcome', {
    attempts: [['until-released'], ['finish']],
    inject: signal('SIGSTOP'),
    dies: false,
    wakes: true,
  }),
  fault('native crash (SIGABRT), once', { attempts: [['crash'], ['finish']], inject: whenItDies }),
  fault('native crash (SIGSEGV), always: to its failure', { attempts: [['segfault']], inject: whenItDies }),
  fault('out of memory', {
    env: { NODE_OPTIONS: '--max-old-space-size=128' },
    attempts: [['eat'], ['finish']],
    inject: whenItDies,
  }),
  fault(`hung step, ATTEMPT_TIMEOUT_MS=${TIME_LIMIT_MS}`, {
    env: { ATTEMPT_TIMEOUT_MS: String(TIME_LIMIT_MS) },
    attempts: [['wait'], ['finish']],
    inject: atOnce,
    dies: false,
  }),
  fault(`hung native step, ATTEMPT_TIMEOUT_MS=${TIME_LIMIT_MS}`, {
    env: { ATTEMPT_TIMEOUT_MS: String(TIME_LIMIT_MS) },
    attempts: [['block'], ['finish']],
    inject: atOnce,
  }),
  fault('event loop stands still', { attempts: [['spin'], ['finish']], inject: atOnce }),
  fault(`worker stopped by SIGTERM, SHUTDOWN_GRACE_MS=${GRACE_MS}`, {
    env: { SHUTDOWN_GRACE_MS: String(GRACE_MS) },
    attempts: [['wait'], ['finish']],
    inject: signal('SIGTERM'),
  }),
  cancelAtWork,
  cancelReceiving,
];
