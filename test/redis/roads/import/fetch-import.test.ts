import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { openCaller } from '../../../../src/access/caller.ts';
import { ServiceError } from '../../../../src/errors.ts';
import { PublicAddresses } from '../../../../src/http/public-address.ts';
import type { RequestScope } from '../../../../src/http/request-scope.ts';
import {
  fetchImport,
  FetchPutOffError,
  type FetchParts,
  type FetchRun,
} from '../../../../src/roads/import/fetch-import.ts';
import { ImportIntake, mayImportOpenly } from '../../../../src/roads/import/import-intake.ts';
import { loadConfig } from '../../../../src/settings/config.ts';
import { NO_SPAN, type Span, type Tracing } from '../../../../src/telemetry/tracing.ts';
import { uploadRef } from '../../../../src/telemetry/upload-ref.ts';
import { silentVisitor } from '../../../../workers/roads/visit-silent.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { jpegBytes } from '../../../helpers/fake-request.ts';
import { useIntake, SCOPE, type IntakeSpace } from '../../../helpers/intake-space.ts';
import { listen } from '../../../helpers/listen.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { patienceMs } from '../../../helpers/patience.ts';
import { silentLog } from '../../../helpers/record-space.ts';
import { callerOf, ticketFor } from '../../../helpers/tenant-use.ts';

const MOST_BYTES = 200_000;

let server: Server;
let url: string;
let answer: RequestListener;
let space: IntakeSpace;
/** Ids of the jobs. */
let jobs: string[];

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  url = `http://127.0.0.1:${await listen(server)}/harbour.jpg`;
});
afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});
useIntake('test', (opened) => {
  space = opened;
  jobs = [];
  answer = (_, response) => response.end(jpegBytes());
});

const addresses = new PublicAddresses(['127.0.0.1']);

async function create(scope: RequestScope = SCOPE, address = url, isOpenToAll = true): Promise<string> {
  const queue = { add: async (id: string) => void jobs.push(id) };
  const intake = new ImportIntake({ ...space.parts, queue, addresses, isOpenToAll });
  return (await intake.create(scope, { url: address })).id;
}

const partsOf = (more: Partial<FetchParts> = {}): FetchParts => ({
  ...space.parts,
  addresses,
  maxFileBytes: MOST_BYTES,
  stallMs: patienceMs(5_000),
  timeoutMs: patienceMs(20_000),
  log: silentLog,
  ...more,
});

const RUN: FetchRun = { onCancel: () => () => undefined, stopping: new AbortController().signal, isLastTry: false };

async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );
}

async function read(id: string) {
  const found = await space.records.read(id);
  if (found === undefined) throw new Error('no record');
  return found.record;
}

describe('an import', () => {
  test('has the stage fetch and a job until a worker has all bytes, and is queued then', async () => {
    const id = await create();
    expect(await read(id)).toMatchObject({ state: 'receiving', stage: 'fetch', fileName: 'harbour.jpg' });
    expect(jobs).toEqual([id]);
    await fetchImport(partsOf(), id, RUN);
    const record = await read(id);
    expect(record).toMatchObject({ state: 'queued', type: 'image/jpeg', receivedBytes: 6000, road: null });
    expect(record.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is fetched in the trace of the request that has created it', async () => {
    const request = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true, state: undefined };
    const id = await create({ ...SCOPE, span: { ...NO_SPAN, isOn: true, position: request } });
    const begun: unknown[] = [];
    const span: Span = {
      ...NO_SPAN,
      isOn: true,
      position: { ...request, spanId: 'c'.repeat(16) },
      child: () => span,
      fail: (error) => void begun.push(error),
    };
    const begin: Tracing['begin'] = (name, parent) => {
      begun.push([name, parent]);
      return span;
    };
    await fetchImport(partsOf({ tracing: { begin, beginRequest: begin, flush: async () => undefined } }), id, RUN);
    expect(begun).toEqual([['import', request]]);
    expect((await read(id)).trace).toBe(`00-${request.traceId}-${'c'.repeat(16)}-01`);
  });

  test('does not use the id of its upload as a request id, because logs contain request ids', async () => {
    const id = await create();
    await fetchImport(partsOf(), id, RUN);
    expect((await read(id)).requestId).toBe(uploadRef(id));
  });

  test('moves its percent while the bytes arrive', async () => {
    const id = await create();
    let end = (): void => undefined;
    answer = (_, response) => {
      const bytes = jpegBytes(100_000);
      response.writeHead(200, { 'Content-Length': bytes.length }).write(bytes.subarray(0, 50_000));
      end = () => void response.end(bytes.subarray(50_000));
    };
    const fetched = fetchImport(partsOf(), id, RUN);
    await eventually('half of the bytes', async () => (await read(id)).receivedBytes === 50_000);
    expect(await read(id)).toMatchObject({ percent: 15, totalBytes: 100_000, stage: 'fetch' });
    end();
    await fetched;
    expect((await read(id)).state).toBe('queued');
  });

  test.each<[string, RequestListener, string]>([
    ['the server answers 500', (_, response) => response.writeHead(500).end(), 'import_failed'],
    ['the file is of no accepted type', (_, response) => response.end(Buffer.alloc(9000)), 'unsupported_media_type'],
    ['the file is empty', (_, response) => response.end(), 'empty_file'],
    [
      'the announced size is above the limit',
      (_, response) => response.writeHead(200, { 'Content-Length': MOST_BYTES + 1 }).flushHeaders(),
      'file_too_large',
    ],
    [
      'the file has fewer bytes than its announced size',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': 9000 });
        response.write(jpegBytes(6000), () => response.destroy());
      },
      'import_failed',
    ],
    [
      'the file streams for ever',
      (_, response) => {
        // Node 24 calls back with an error before it marks the response as destroyed.
        const more = (error?: Error | null): void => {
          if (!error && !response.destroyed) response.write(jpegBytes(50_000), more);
        };
        more();
      },
      'file_too_large',
    ],
    [
      'it redirects to a private address',
      (_, response) => response.writeHead(302, { Location: 'http://10.0.0.1/' }).end(),
      'import_refused',
    ],
  ])('fails if %s, and leaves no file', async (_, listener, code) => {
    const id = await create();
    answer = listener;
    await fetchImport(partsOf(), id, RUN);
    expect(await read(id)).toMatchObject({ state: 'failed', error: { code, final: true }, road: null });
    expect(space.files()).toEqual([]);
  });

  test('fails if it takes longer than its limit', async () => {
    const id = await create();
    answer = (_, response) => void response.write(jpegBytes());
    await fetchImport(partsOf({ timeoutMs: 100 }), id, RUN);
    expect((await read(id)).error?.code).toBe('import_failed');
  });

  test('stops when it is cancelled', async () => {
    const id = await create();
    let isClosed = false;
    answer = (_, response) => {
      response.once('close', () => (isClosed = true));
      response.write(jpegBytes());
    };
    let cancelled = (): void => undefined;
    const onCancel = (_: string, call: () => void) => {
      cancelled = call;
      return () => undefined;
    };
    const fetched = fetchImport(partsOf(), id, { ...RUN, onCancel });
    await eventually('a byte', async () => (await read(id)).receivedBytes > 0);
    await space.records.cancel(id);
    cancelled();
    await fetched;
    await eventually('the closed connection', () => isClosed);
    expect((await read(id)).state).toBe('cancelled');
    expect(space.files()).toEqual([]);
  });

  test('begins again after the death of a worker, as attempt 2, and rejects the first worker', async () => {
    const id = await create();
    const held: (() => void)[] = [];
    answer = (_, response) => {
      response.write(jpegBytes().subarray(0, 5000));
      held.push(() => void response.end(jpegBytes().subarray(5000)));
    };
    const first = fetchImport(partsOf(), id, RUN);
    await eventually('the first request', () => held.length === 1);
    const second = fetchImport(partsOf(), id, RUN);
    await eventually('the second request', () => held.length === 2);
    expect((await read(id)).fetches).toBe(2);
    for (const end of held) end();
    await Promise.all([first, second]);
    const { state, fencingToken } = await read(id);
    expect(state).toBe('queued');
    // The janitor removes the other ones when the upload is final.
    expect(space.files().filter((path) => path.includes(`/${fencingToken}.`))).toHaveLength(2);
  });

  test('is put off if the process stops, and keeps its record', async () => {
    const id = await create();
    const stopping = new AbortController();
    answer = (_, response) => {
      response.write(jpegBytes());
      stopping.abort();
    };
    const run = { ...RUN, stopping: stopping.signal };
    expect(await outcomeOf(fetchImport(partsOf(), id, run))).toBeInstanceOf(FetchPutOffError);
    expect((await read(id)).state).toBe('receiving');
  });

  test('is tried again if the storage does not work, and fails at the last try', async () => {
    const id = await create();
    const full = new ServiceError('storage_full', 'Full.');
    const storage = overriding(space.parts.storage, { create: () => Promise.reject(full) });
    expect(await outcomeOf(fetchImport(partsOf({ storage }), id, RUN))).toBe('storage_full');
    expect((await read(id)).state).toBe('receiving');
    await fetchImport(partsOf({ storage }), id, { ...RUN, isLastTry: true });
    expect(await read(id)).toMatchObject({ state: 'failed', error: { code: 'internal_error' } });
  });

  test('fails if it would exceed the stored bytes of its tenant', async () => {
    const id = await create({ ...SCOPE, caller: callerOf('acme', { storedBytes: 5000 }) });
    answer = (_, response) => response.writeHead(200, { 'Content-Length': 6000 }).end(jpegBytes());
    await fetchImport(partsOf(), id, RUN);
    expect((await read(id)).error?.code).toBe('quota_exceeded');
  });

  test('gets a new job from the janitor if it is silent', async () => {
    const id = await create();
    const imports = { add: async (again: string) => void jobs.push(again) };
    const parts = { ...space.parts, imports, log: silentLog };
    const visit = silentVisitor({ uploadExpiryMs: 1000 }, parts);
    expect(await visit(await read(id), space.records.nowMs())).toBe('silent');
    expect(jobs).toEqual([id, id]);
  });
});

describe('the creation of an import', () => {
  const byTicket = (mayImport: boolean): RequestScope => ({
    ...SCOPE,
    caller: callerOf('acme', {}, { via: 'ticket', ticket: { ...ticketFor(1), mayImport } }),
  });

  test.each<[string, () => RequestScope, boolean, string]>([
    ['an API key', () => ({ ...SCOPE, caller: callerOf('acme') }), false, 'done'],
    ['a ticket with import', () => byTicket(true), false, 'done'],
    ['a ticket without import', () => byTicket(false), true, 'ticket_forbids'],
    ['anyone on the own machine in open mode', () => ({ ...SCOPE, caller: openCaller }), true, 'done'],
    ['anyone else in open mode', () => ({ ...SCOPE, caller: openCaller }), false, 'ticket_required'],
  ])('with %s', async (_, scope, isOpenToAll, outcome) => {
    expect(await outcomeOf(create(scope(), url, isOpenToAll))).toBe(outcome);
  });

  test.each([
    'file:///etc/passwd',
    'gopher://files.example/',
    'http://10.0.0.1/',
    'http://[::1]:3000/uploads',
    'http://[::ffff:10.0.0.1]/',
    'http://a:b@files.example/',
  ])('refuses %s, and creates no record', async (address) => {
    expect(await outcomeOf(create(SCOPE, address))).toBe('import_refused');
    expect(await space.connection.keys(space.keys.record('*'))).toEqual([]);
  });

  test('is open to all only if no other machine can reach the service', () => {
    const of = (env: Record<string, string>, isEmbedded = false) => mayImportOpenly(loadConfig(env), isEmbedded);
    expect(of({})).toBe(true);
    expect(of({}, true)).toBe(false);
    expect(of({ HOST: '0.0.0.0', ACCESS: 'open' })).toBe(false);
    expect(of({ ALLOWED_HOSTS: 'files.example' })).toBe(false);
    expect(of({ TRUSTED_PROXIES: '127.0.0.1' })).toBe(false);
  });
});
