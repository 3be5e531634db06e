import { afterEach, describe, expect, test } from '@jest/globals';
import type { Middleware } from 'koa';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { unreadBodies } from '../../../src/http/unread-body.ts';
import { readBody } from '../../../src/intake/body.ts';
import { readMultipart } from '../../../src/intake/multipart.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { eventually } from '../../helpers/eventually.ts';
import { serve, type Served } from './serve.ts';

let served: Served | undefined;
let socket: Socket | undefined;

afterEach(async () => {
  socket?.destroy();
  await served?.close();
});

const SIGNAL = new AbortController().signal;
const LIMITS = { maxFiles: 9, maxFields: 9, maxFieldBytes: 9, maxRequestBytes: 100_000_000 };

/** Handlers that answer before the whole body has arrived. */
const EARLY: Readonly<Record<string, Middleware>> = {
  'reads nothing of it'(ctx) {
    ctx.body = 'early';
  },
  async 'leaves a raw body at its first chunk'(ctx) {
    for await (const chunk of readBody(ctx.req, SIGNAL)) if (chunk.length > 0) break;
    ctx.body = 'early';
  },
  async 'stops reading a raw body, as for a rejected type'(ctx) {
    await readBody(ctx.req, SIGNAL).next();
    ctx.body = 'early';
  },
  async 'throws in the middle of a form'(ctx) {
    for await (const part of readMultipart(ctx.req, LIMITS, SIGNAL))
      if (part.partType === 'file') throw new ServiceError('no_file', 'early');
  },
};

const FORM_HEAD = '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n';

/** Sends a body as browsers do: completely, before reading an answer. Resolves with all bytes of the answer. */
async function sendWhole(connected: Socket, bodyBytes: number, headers = '', behind = ''): Promise<string> {
  connected.pause();
  connected.write(
    `POST / HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${FORM_HEAD.length + bodyBytes}\r\n\r\n${FORM_HEAD}`,
  );
  for (let left = bodyBytes; left > 0; left -= 100_000) {
    if (!connected.write(Buffer.alloc(Math.min(100_000, left)))) await once(connected, 'drain');
  }
  connected.write(behind);
  let text = '';
  connected.on('data', (chunk: Buffer) => (text += chunk.toString()));
  connected.resume();
  await eventually('the answer', () => text.includes('early'));
  return text;
}

describe.each(Object.entries(EARLY))('a handler that %s', (_what, handler) => {
  test('lets the client send to the end and read the answer, and the connection can be used again', async () => {
    served = await serve(unreadBodies(100_000_000), problemResponses(silentLog), handler);
    socket = await served.connect();
    const first = await sendWhole(socket, 8_000_000);
    expect(first).toMatch(/^HTTP\/1\.1 (200|400) /);
    expect(await sendWhole(socket, 10)).toMatch(/^HTTP\/1\.1 (200|400) /);
  });

  test('lets the client read the answer if it asked to close the connection, as proxies do', async () => {
    served = await serve(unreadBodies(100_000_000), problemResponses(silentLog), handler);
    socket = await served.connect();
    const ended = once(socket, 'end');
    expect(await sendWhole(socket, 8_000_000, 'Connection: close\r\n')).toMatch(
      /^HTTP\/1\.1 (200|400) .*Connection: close/s,
    );
    await ended;
  });
});

test('a request after an answer that closes the connection is not read', async () => {
  let requests = 0;
  served = await serve(unreadBodies(100_000_000), (ctx) => {
    ctx.set('Connection', 'close');
    ctx.body = `early ${++requests}`;
  });
  socket = await served.connect();
  const closed = once(socket, 'close');
  await sendWhole(socket, 1_000_000, '', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await closed;
  expect(requests).toBe(1);
});

test('a client that continues for too many bytes is cut', async () => {
  served = await serve(
    unreadBodies(1_000_000),
    problemResponses(silentLog),
    EARLY['reads nothing of it'] as Middleware,
  );
  const sending = await served.connect();
  socket = sending;
  sending.on('error', () => undefined);
  const closed = new Promise<boolean>((resolve) => sending.once('close', () => resolve(true)));
  sending.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n`);
  sending.resume();
  const more = () => {
    while (!sending.destroyed && sending.write(Buffer.alloc(100_000)));
  };
  sending.on('drain', more);
  more();
  expect(await closed).toBe(true);
});

test.each([
  ['closes the connection after its answer if the rest of the body may exceed the bound', 5_000, true],
  ['keeps the connection if the rest of the body is within the bound', 500, false],
])('%s', async (_rule, bodyBytes, isClosing) => {
  served = await serve(unreadBodies(1_000), EARLY['reads nothing of it'] as Middleware);
  socket = await served.connect();
  expect(/\r\nConnection: close\r\n/i.test(await sendWhole(socket, bodyBytes))).toBe(isClosing);
});

test('a body that was read to its end is not touched', async () => {
  served = await serve(unreadBodies(1), problemResponses(silentLog), async (ctx) => {
    let bytes = 0;
    for await (const chunk of readBody(ctx.req, SIGNAL)) bytes += chunk.length;
    ctx.body = `early ${bytes}`;
  });
  socket = await served.connect();
  expect(await sendWhole(socket, 1_000_000)).toContain(`early ${1_000_000 + FORM_HEAD.length}`);
  expect(await sendWhole(socket, 10)).toContain('early');
});
