import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { stopAccepting } from '../../../src/compat/stop-accepting.ts';
import { serve, type Served } from '../http/serve.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

let served: Served;

afterEach(async () => {
  if (served.server.listening) await served.close();
});

/** Reads a connection until the server ends it. */
async function untilEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'end');
  return text;
}

async function keptOpen(): Promise<Socket> {
  const socket = await served.connect();
  socket.write(REQUEST);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/Connection: keep-alive/);
  return socket;
}

test('an idle connection gets one more answer, with Connection: close', async () => {
  served = await serve((ctx) => (ctx.body = 'x'));
  const socket = await keptOpen();
  const closed = stopAccepting(served.server);
  const rest = untilEnd(socket);
  socket.write(REQUEST);
  expect(await rest).toMatch(/^HTTP\/1.1 200 OK[^]*Connection: close/);
  await closed;
});

test('a request with Expect: 100-continue is answered, with Connection: close', async () => {
  served = await serve((ctx) => (ctx.body = 'x'));
  served.server.on('checkContinue', (request, response) => {
    response.writeContinue();
    served.server.emit('request', request, response);
  });
  const socket = await keptOpen();
  const closed = stopAccepting(served.server);
  const rest = untilEnd(socket);
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx');
  expect(await rest).toMatch(/100 Continue[^]*200 OK[^]*Connection: close/);
  await closed;
});

test('new connections are rejected, and idle ones stay open until the caller closes them', async () => {
  served = await serve((ctx) => (ctx.body = 'x'));
  const socket = await keptOpen();
  const closed = stopAccepting(served.server);
  await expect(served.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(socket.readyState).toBe('open');
  const ended = untilEnd(socket);
  served.server.closeIdleConnections();
  expect(await ended).toBe('');
  await closed;
});

test('this patch is still needed: close() of Node cuts idle connections at once', async () => {
  served = await serve((ctx) => (ctx.body = 'x'));
  const socket = await keptOpen();
  const ended = untilEnd(socket);
  served.server.close();
  expect(await ended).toBe('');
});
