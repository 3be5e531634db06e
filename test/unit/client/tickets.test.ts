import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTickets } from '../../../src/client/tickets.ts';
import { createUploadClient, type UploadClient, UploadError } from '../../../src/client/upload-client.ts';
import { problem } from './documents.ts';
import { FakeService } from './fake-service.ts';

const NEVER_ABORTED = new AbortController().signal;

const expired = () => new UploadError(problem('ticket_expired', 401, 'Expired.'));
const forbidden = () => new UploadError(problem('ticket_forbids', 403, 'The ticket allows 1 file.'));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof UploadError ? error.code : `no UploadError: ${String(error)}`;
}

/** Returns `t1`, `t2`, … */
function numbered() {
  let calls = 0;
  return { fetchTicket: async () => `t${(calls += 1)}`, calls: () => calls };
}

describe('the tickets of a client', () => {
  test('send no header if there is no function for tickets, or if it returns none', async () => {
    const send = async (headers: Record<string, string>) => headers;
    expect(await createTickets().use(send, NEVER_ABORTED)).toEqual({});
    expect(await createTickets(() => undefined).use(send, NEVER_ABORTED)).toEqual({});
    expect(await createTickets(() => 'a.b.c').use(send, NEVER_ABORTED)).toEqual({ Authorization: 'Bearer a.b.c' });
  });

  test('are fetched once for uploads that start at the same time, and kept for later ones', async () => {
    const { fetchTicket, calls } = numbered();
    const tickets = createTickets(fetchTicket);
    const sent: (string | undefined)[] = [];
    const send = async ({ Authorization }: Record<string, string>) => sent.push(Authorization);
    await Promise.all([1, 2, 3].map(() => tickets.use(send, NEVER_ABORTED)));
    await tickets.use(send, NEVER_ABORTED);
    expect([calls(), new Set(sent)]).toEqual([1, new Set(['Bearer t1'])]);
  });

  test('are replaced once if the server refuses them, with one call for all uploads', async () => {
    const { fetchTicket, calls } = numbered();
    const tickets = createTickets(fetchTicket);
    const send = async ({ Authorization }: Record<string, string>) => {
      if (Authorization === 'Bearer t1') throw expired();
      return Authorization;
    };
    const answers = await Promise.all([1, 2, 3].map(() => tickets.use(send, NEVER_ABORTED)));
    expect([calls(), answers]).toEqual([2, ['Bearer t2', 'Bearer t2', 'Bearer t2']]);
  });

  test('are not replaced a second time for the same request', async () => {
    const { fetchTicket, calls } = numbered();
    const refuse = async () => {
      throw expired();
    };
    expect(await codeOf(createTickets(fetchTicket).use(refuse, NEVER_ABORTED))).toBe('ticket_expired');
    expect(calls()).toBe(2);
  });

  test('are replaced if other uploads have used up the files of a ticket', async () => {
    const { fetchTicket } = numbered();
    const tickets = createTickets(fetchTicket);
    const used = new Set<string>();
    const send = async ({ Authorization = '' }: Record<string, string>) => {
      if (used.has(Authorization)) throw forbidden();
      used.add(Authorization);
    };
    await Promise.all([1, 2, 3].map(() => tickets.use(send, NEVER_ABORTED)));
    expect(used).toEqual(new Set(['Bearer t1', 'Bearer t2', 'Bearer t3']));
  });

  test('are not sent again if the application has no other one', async () => {
    let sent = 0;
    const refuse = async () => {
      sent += 1;
      throw expired();
    };
    expect(await codeOf(createTickets(() => 'the only one').use(refuse, NEVER_ABORTED))).toBe('ticket_expired');
    expect(sent).toBe(1);
  });

  test('are not replaced if a ticket that nobody else used forbids the file', async () => {
    const { fetchTicket, calls } = numbered();
    const refuse = async () => {
      throw forbidden();
    };
    expect(await codeOf(createTickets(fetchTicket).use(refuse, NEVER_ABORTED))).toBe('ticket_forbids');
    expect(calls()).toBe(1);
  });

  test('are asked for again after the application had none', async () => {
    let isSignedIn = false;
    const tickets = createTickets(() => {
      if (!isSignedIn) throw new Error('not signed in');
      return 'a.b.c';
    });
    const send = async () => 'sent';
    expect(await codeOf(tickets.use(send, NEVER_ABORTED))).toBe('ticket_unavailable');
    isSignedIn = true;
    expect(await tickets.use(send, NEVER_ABORTED)).toBe('sent');
  });

  test('report a lost connection to the back end as a lost connection, so that the upload is retried', async () => {
    const tickets = createTickets(() => Promise.reject(new TypeError('fetch failed')));
    expect(await codeOf(tickets.use(async () => 'sent', NEVER_ABORTED))).toBe('connection_lost');
  });

  test('do not delay the cancel of an upload whose ticket never comes', async () => {
    const controller = new AbortController();
    const pending = createTickets(() => new Promise<string>(() => undefined)).use(
      async () => 'sent',
      controller.signal,
    );
    controller.abort();
    expect(await codeOf(pending)).toBe('aborted');
  });
});

describe('an upload with a ticket', () => {
  let service: FakeService;
  let baseUrl: string;
  const clients: UploadClient[] = [];

  beforeEach(async () => {
    service = new FakeService();
    baseUrl = await service.start();
    service.onStored = (id) => service.complete(id);
    service.tickets = new Set(['good']);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    return service.stop();
  });

  function createClient(given: readonly string[]): UploadClient {
    const left = [...given];
    const options = { gapMs: 20, firstRetryMs: 10, longestRetryMs: 40, resumableAboveBytes: 20_000, partBytes: 10_000 };
    const client = createUploadClient({ baseUrl, ...options, ticket: () => left.shift() });
    clients.push(client);
    return client;
  }

  test.each([
    ['in one request', 1000],
    ['in parts', 25_000],
  ])('is sent %s with a new ticket if the first one has expired', async (_how, size) => {
    const { result } = createClient(['old', 'good']).upload(new Blob([new Uint8Array(size)]));
    expect((await result).state).toBe('completed');
    expect(service.seenTickets).toEqual(['old', 'good']);
  });

  test('fails with the refusal of the server if the application has no better ticket', async () => {
    const { result } = createClient(['old', 'older', 'oldest']).upload(new Blob(['x']));
    expect(await codeOf(result)).toBe('ticket_expired');
    expect(service.seenTickets).toEqual(['old', 'older']);
  });
});

describe('a quota', () => {
  test('ends the upload at once if it stays used up for longer than the client retries', async () => {
    const service = new FakeService();
    const client = createUploadClient({ baseUrl: await service.start(), giveUpAfterMs: 60_000 });
    const refusal = { ...problem('quota_exceeded', 429, 'Used up.'), limit: 'uploadsPerDay' as const };
    service.putFaults.push({ kind: 'status', status: 429, retryAfter: '7200', problem: refusal });
    try {
      const error = await client.upload(new Blob(['x'])).result.catch((reason: unknown) => reason);
      expect(error instanceof UploadError && error.problem).toEqual(refusal);
    } finally {
      client.close();
      await service.stop();
    }
  });

  test('is reported as the reason of a retry', async () => {
    const service = new FakeService();
    const client = createUploadClient({ baseUrl: await service.start(), firstRetryMs: 1 });
    service.onStored = (id) => service.complete(id);
    const refusal = { ...problem('quota_exceeded', 429, 'Used up.'), limit: 'createPerMinute' as const };
    service.putFaults.push({ kind: 'status', status: 429, problem: refusal });
    const reasons: unknown[] = [];
    try {
      const onPhase = (phase: string, reason?: unknown) => phase === 'retrying' && reasons.push(reason);
      await client.upload(new Blob(['x']), { onPhase }).result;
      expect(reasons).toEqual([refusal]);
    } finally {
      client.close();
      await service.stop();
    }
  });
});
