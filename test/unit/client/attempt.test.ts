import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { runAttempt, SilenceLimit, type Attempt, type AttemptRequest } from '../../../src/client/attempt.ts';
import { createHttp, createPutPart, type CountedInit } from '../../../src/client/http.ts';
import { clientError } from '../../../src/client/upload-error.ts';

const LIMIT_MS = 60_000;

interface Running {
  readonly silence: SilenceLimit;
  readonly request: AttemptRequest;
  readonly attempt: Attempt;
  readonly end: () => void;
  /** Resolves with the code of the error, or with `sent`. */
  readonly outcome: Promise<string>;
}

function start(silence = new SilenceLimit(LIMIT_MS)): Running {
  let request: AttemptRequest | undefined;
  let attempt: Attempt | undefined;
  let end: (() => void) | undefined;
  const outcome = runAttempt(
    (given) => {
      request = given;
      return new Promise<void>((resolve, reject) => {
        end = resolve;
        given.signal.addEventListener('abort', () => reject(clientError('aborted')));
      });
    },
    { signal: new AbortController().signal, silence, onAttempt: (running) => (attempt = running ?? attempt) },
  ).then(
    () => 'sent',
    (error: { code: string }) => error.code,
  );
  if (!request || !attempt || !end) throw new Error('the attempt has not started');
  return { silence, request, attempt, end, outcome };
}

describe('attempt to send a part', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('goes on as long as bytes leave, even if a proxy hides them from the server', async () => {
    const { request, end, outcome } = start();
    for (let minutes = 0; minutes < 10; minutes += 0.5) {
      jest.advanceTimersByTime(30_000);
      request.onSent();
    }
    end();
    expect([await outcome, request.signal.aborted]).toEqual(['sent', false]);
  });

  test('is given up one minute after the last sent byte', async () => {
    const { request, silence, outcome } = start();
    jest.advanceTimersByTime(50_000);
    request.onSent();
    jest.advanceTimersByTime(50_000);
    expect(request.signal.aborted).toBe(false);
    jest.advanceTimersByTime(20_000);
    expect([await outcome, silence.ms]).toEqual(['connection_lost', LIMIT_MS]);
  });

  test('gets twice the time of the previous one if that was silent and nothing counts the sent bytes', async () => {
    const { silence, outcome } = start();
    jest.advanceTimersByTime(LIMIT_MS + 5000);
    expect([await outcome, silence.ms]).toEqual(['connection_lost', 2 * LIMIT_MS]);
    const second = start(silence);
    jest.advanceTimersByTime(2 * LIMIT_MS);
    second.end();
    expect(await second.outcome).toBe('sent');
  });

  test('is not limited after the server has all bytes, also if the browser reports the last ones later', async () => {
    const { request, attempt, end, outcome } = start();
    attempt.alive(true);
    request.onSent();
    jest.advanceTimersByTime(10 * LIMIT_MS);
    end();
    expect(await outcome).toBe('sent');
  });
});

test('every request with a body passes the listener of sent bytes to fetch', async () => {
  const inits: CountedInit[] = [];
  const fetch = async (_input: unknown, init: CountedInit = {}): Promise<Response> => {
    inits.push(init);
    return new Response('{}');
  };
  const onSent = (): void => undefined;
  const body = new Blob(['x']);
  await createHttp('', fetch).headers('/files/1', { method: 'PATCH', body, onSent });
  await createPutPart(fetch)('https://bucket.example/1', { body, onSent });
  expect(inits.map((init) => init.onSent)).toEqual([onSent, onSent]);
});
