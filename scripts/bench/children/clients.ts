import { setTimeout as delay } from 'node:timers/promises';
import { LongPoller } from '../lib/long-poller.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import type { Moment } from '../lib/shared-clock.ts';

/** The addresses to poll, with one client per id. */
export interface PollTarget {
  /** Clients use these ports in turn. */
  ports: readonly number[];
  ids: string[];
  /** Path and query, with `{id}`, `{version}` (what the client has seen) and `{next}` (one more) in their places. */
  path: string;
}

/** The process of all clients. */
export type ClientQuestions = {
  /** Opens the connections without polling. */
  connect(target: PollTarget): Promise<void>;
  /** Polls on all connections from these versions on. With `repolls` another poll follows each answer. */
  poll(options: { versions: number[]; repolls: boolean }): void;
  /** Returns how many answers were read since `take`. Throws if a client has failed. */
  answered(): number;
  /** Returns the answers since the last call, and the processor time of this process since then. */
  take(): { answers: Moment[]; cpuUs: number };
  /** From now on no poll follows an answer. */
  stopPolling(): void;
  /** Closes all connections. */
  disconnect(): void;
};

const CONNECTIONS_AT_ONCE = 100;

/** The headers of `fetch` in Chromium, which servers keep in memory while they hold the response. */
const HEADERS = [
  'Host: 127.0.0.1',
  'Connection: keep-alive',
  'sec-ch-ua-platform: "Linux"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile: ?0',
  'Accept: */*',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Dest: empty',
  'Referer: http://127.0.0.1/',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9',
].join('\r\n');

let pollers: LongPoller[] = [];
let answers: Moment[] = [];
let failure: string | undefined;
let usageBefore = process.cpuUsage();

const listener = {
  answered(slot: number, version: number, atUs: number) {
    answers.push({ slot, version, atUs });
  },
  failed(slot: number, why: string) {
    failure ??= `client ${slot}: ${why}`;
  },
};

serveQuestions<ClientQuestions>({
  async connect({ ports, ids, path }) {
    for (let first = 0; first < ids.length; first += CONNECTIONS_AT_ONCE) {
      const some = ids.slice(first, first + CONNECTIONS_AT_ONCE);
      await Promise.all(
        some.map((id, index) => open(portOf(ports, first + index), first + index, path.replaceAll('{id}', id))),
      );
    }
  },
  async poll({ versions, repolls }) {
    for (const [slot, poller] of pollers.entries()) {
      poller.repolls = repolls;
      poller.poll(versions[slot] ?? 0);
      // Without pauses the first answers would wait until the last poll is sent.
      if (slot % CONNECTIONS_AT_ONCE === 0) await delay(1);
    }
  },
  answered() {
    if (failure !== undefined) throw new Error(failure);
    return answers.length;
  },
  take() {
    const used = process.cpuUsage(usageBefore);
    const taken = { answers, cpuUs: used.user + used.system };
    answers = [];
    usageBefore = process.cpuUsage();
    return taken;
  },
  stopPolling() {
    for (const poller of pollers) poller.repolls = false;
  },
  disconnect() {
    for (const poller of pollers) poller.close();
    pollers = [];
    failure = undefined;
  },
});

function portOf(ports: readonly number[], slot: number): number {
  return ports[slot % ports.length] ?? 0;
}

async function open(port: number, slot: number, path: string): Promise<void> {
  const requestFor = (version: number) =>
    `GET ${path.replace('{version}', String(version)).replace('{next}', String(version + 1))} HTTP/1.1\r\n${HEADERS}\r\n\r\n`;
  await new Promise<void>((resolve, reject) => {
    const poller = new LongPoller(
      port,
      slot,
      requestFor,
      {
        ...listener,
        failed(at, why) {
          listener.failed(at, why);
          reject(new Error(why));
        },
      },
      resolve,
    );
    pollers[slot] = poller;
  });
}
