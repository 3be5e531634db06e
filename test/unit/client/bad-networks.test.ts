import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { Progress } from '../../../src/wire/documents.ts';
import type { Http, HttpInit } from '../../../src/client/http.ts';
import { ProgressWatch } from '../../../src/client/progress-watch.ts';
import { DEFAULT_TUNING } from '../../../src/client/tuning.ts';
import { clientError } from '../../../src/client/upload-error.ts';
import { createUploadClient } from '../../../src/client/upload-client.ts';
import { listen } from '../../helpers/listen.ts';
import { freshProgress } from './documents.ts';
import { FakeService } from './fake-service.ts';
import { until } from './until.ts';

const ID = '11111111-1111-4111-8111-111111111111';

describe('client behind a proxy that cuts held requests', () => {
  test('reports every change once, including the last one', async () => {
    const service = new FakeService();
    const target = await service.start();
    const proxy = await startCuttingProxy(target, 150);
    const client = createUploadClient({
      baseUrl: proxy.url,
      gapMs: 10,
      holdMs: 600,
      pollMs: 30,
      firstRetryMs: 10,
      longestRetryMs: 20,
    });
    service.move(ID, { state: 'queued' });
    const versions: number[] = [];
    const handle = client.watch(ID, { onProgress: ({ version }) => versions.push(version) });
    for (const percent of [40, 50, 60, 70, 80]) {
      await until(() => versions.at(-1) === service.uploads.get(ID)?.version);
      // The pause is so long that the proxy cuts the requests that are held during it.
      const seen = service.progressRequests.length;
      await until(() => service.progressRequests.length > seen + 1);
      service.move(ID, { state: 'processing', percent });
    }
    service.complete(ID);
    await handle.result;
    expect(versions.filter((version, index) => version <= (versions[index - 1] ?? 0))).toEqual([]);
    expect(versions.at(-1)).toBe(service.uploads.get(ID)?.version);
    expect(service.progressRequests.map(({ timeoutMs }) => timeoutMs)).toContain(0);
    client.close();
    await proxy.stop();
    await service.stop();
  });
});

/** Starts a proxy that cuts a connection if the answer has not begun after `patienceMs`. */
async function startCuttingProxy(target: string, patienceMs: number): Promise<{ url: string; stop(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => {
    const onward = httpRequest(
      new URL(incoming.url ?? '/', target),
      { method: incoming.method, headers: incoming.headers, agent: false },
      (answer) => {
        clearTimeout(timer);
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    const timer = setTimeout(() => {
      onward.destroy();
      outgoing.destroy();
    }, patienceMs);
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      clearTimeout(timer);
      onward.destroy();
    });
    incoming.pipe(onward);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

describe('progress request without an answer', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Gives these answers in turn, and no answer afterwards. */
  class SilentHttp implements Http {
    readonly asked: string[] = [];
    readonly answers: (Progress | null)[];

    constructor(answers: (Progress | null)[]) {
      this.answers = answers;
    }

    request<T>(path: string, isExpected: (value: unknown) => value is T, { signal }: HttpInit = {}): Promise<T> {
      this.asked.push(path);
      const answer = this.answers.shift();
      const list: unknown = { uploads: answer ? [answer] : [], timedOut: !answer };
      if (answer !== undefined && isExpected(list)) return Promise.resolve(list);
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(clientError('aborted')));
      });
    }

    headers(): Promise<Headers> {
      return Promise.reject(clientError('connection_lost'));
    }
  }

  function watchOver(http: Http): { seen: number[]; connected: boolean[]; release: () => void } {
    const seen: number[] = [];
    const connected: boolean[] = [];
    const watch = new ProgressWatch(http, DEFAULT_TUNING, (isConnected) => connected.push(isConnected));
    const watched = watch.add({ id: ID, onProgress: ({ version }) => seen.push(version), onProblem: () => undefined });
    return { seen, connected, release: () => watched.release() };
  }

  const timeoutsOf = (http: SilentHttp): string[] => http.asked.map((path) => path.replace(/^.*timeout=/, ''));

  test('is aborted 10 s after its hold time and repeated at once, so no change is lost', async () => {
    jest.useFakeTimers();
    const http = new SilentHttp([freshProgress(ID, { version: 1 })]);
    const { seen, connected, release } = watchOver(http);
    await jest.advanceTimersByTimeAsync(1000);
    expect(timeoutsOf(http)).toEqual(['25000', '25000']);
    http.answers.push(freshProgress(ID, { version: 7 }));
    await jest.advanceTimersByTimeAsync(42_000);
    // A poll without a hold got its answer, so the client no longer asks for a hold.
    expect([timeoutsOf(http).slice(2), seen, connected.includes(false)]).toEqual([['0', '12500'], [1, 7], false]);
    release();
  });

  test('makes the client poll if every held request stays unanswered, and each change is reported once', async () => {
    jest.useFakeTimers();
    const http = new SilentHttp([]);
    let version = 1;
    const answerOnlyPlain: Http = {
      headers: () => http.headers(),
      request: (path, isExpected, init) => {
        if (path.endsWith('timeout=0')) http.answers.push(freshProgress(ID, { version }));
        return http.request(path, isExpected, init);
      },
    };
    const { seen, release } = watchOver(answerOnlyPlain);
    for (; version < 20; version += 1) await jest.advanceTimersByTimeAsync(10_000);
    await jest.advanceTimersByTimeAsync(2500);
    expect([...new Set(timeoutsOf(http))]).toEqual(['25000', '0', '12500', '6250', '3125']);
    expect(timeoutsOf(http).slice(-20)).toEqual(Array<string>(20).fill('0'));
    // The last changes were all reported, and none of them twice or out of order.
    expect([seen.slice(-5), seen]).toEqual([[16, 17, 18, 19, 20], [...new Set(seen)].toSorted((a, b) => a - b)]);
    release();
  });

  test('is aborted within seconds after the machine wakes from sleep', async () => {
    jest.useFakeTimers();
    const http = new SilentHttp([freshProgress(ID, { version: 1 })]);
    const { seen, release } = watchOver(http);
    await jest.advanceTimersByTimeAsync(1000);
    http.answers.push(freshProgress(ID, { version: 9 }));
    // While the machine sleeps, timers stand still and the clock goes on.
    jest.setSystemTime(Date.now() + 3_600_000);
    await jest.advanceTimersByTimeAsync(7000);
    expect([seen, timeoutsOf(http).slice(2)]).toEqual([
      [1, 9],
      ['25000', '25000'],
    ]);
    release();
  });
});
