import { afterEach, expect, test } from '@jest/globals';
import { on } from 'node:events';
import { Server } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { boundConnections } from '../../../src/http/bound-connections.ts';
import { eventually } from '../../helpers/eventually.ts';
import { patienceMs } from '../../helpers/patience.ts';
import { serve, type Served } from './serve.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n';

const CHUNK = Buffer.alloc(64 * 1024);

let served: Served | undefined;
let talking: NodeJS.Timeout | undefined;

afterEach(async () => {
  clearInterval(talking);
  await served?.close();
});

test('a client that does not read its answer is cut, and a client that waits for its answer is not', async () => {
  let answer: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (answer = resolve));
  served = await serve(async (ctx) => {
    if (ctx.path === '/held') await held;
    ctx.body = ctx.path === '/held' ? 'answered' : Buffer.alloc(32 * 1024 * 1024);
  });
  boundConnections(served.server, { maxConnections: undefined, readerTimeoutMs: 200 });
  const waiting = fetch(`${served.url}/held`);
  const stalled = await served.connect();
  let open = 2;
  served.server.on('connection', (socket) => socket.once('close', () => (open -= 1)));
  stalled.on('error', () => undefined).pause();
  stalled.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const connections = async () =>
    await new Promise<number>((resolve) => served?.server.getConnections((_error, count) => resolve(count)));
  await eventually('both connections', async () => (await connections()) === 2);
  await eventually('the stalled reader to be cut', async () => (await connections()) === 1);
  answer?.();
  expect(await (await waiting).text()).toBe('answered');
});

test('a client that does not read its answer is cut even if it sends a byte now and then', async () => {
  served = await serve((ctx) => void (ctx.body = Readable.from(chunks(512), { objectMode: false })));
  boundConnections(served.server, { maxConnections: undefined, readerTimeoutMs: 200 });
  let isCut = false;
  served.server.on('connection', (socket) => socket.once('close', () => (isCut = true)));
  const stalled = await served.connect();
  stalled.on('error', () => undefined).pause();
  stalled.write(`${REQUEST}\r\n${REQUEST}X-Long: `);
  talking = setInterval(() => stalled.write('a'), 20);
  await eventually('the stalled reader to be cut', () => isCut);
  stalled.destroy();
});

test('a client that reads its answer slowly and sends a byte now and then is not cut', async () => {
  served = await serve((ctx) => void (ctx.body = Readable.from(chunks(200), { objectMode: false })));
  boundConnections(served.server, { maxConnections: undefined, readerTimeoutMs: patienceMs(2000) });
  const slow = await served.connect();
  let bytes = 0;
  slow.on('error', () => undefined).on('data', (chunk: Buffer) => (bytes += chunk.length));
  slow.pause();
  slow.write(`${REQUEST}\r\n${REQUEST}X-Long: `);
  talking = setInterval(() => {
    slow.write('a');
    slow.read();
  }, 5);
  await eventually('the whole answer', () => bytes > 200 * CHUNK.length);
  slow.destroy();
});

test('a full server cuts the oldest connection that has sent no byte, in favour of a new one', async () => {
  served = await serve((ctx) => void (ctx.body = 'answered'));
  boundConnections(served.server, { maxConnections: 3, readerTimeoutMs: 10_000 });
  const silent = [await served.connect(), await served.connect(), await served.connect()];
  let cut = 0;
  for (const socket of silent)
    socket
      .on('error', () => undefined)
      .once('close', () => (cut += 1))
      .resume();
  const { url } = served;
  await eventually('an answer', async () => (await fetch(url).catch(() => undefined))?.status === 200);
  await eventually('a silent connection to be cut', () => cut > 0);
  for (const socket of silent) socket.destroy();
});

test('a crowded server closes idle connections soon, and a calm one does not', async () => {
  served = await serve((ctx) => void (ctx.body = 'answered'));
  served.server.keepAliveTimeout = 600_000;
  boundConnections(served.server, { maxConnections: 3, readerTimeoutMs: 600_000 });
  const clients = [await ask(served), await ask(served), await ask(served)];
  expect(clients.map(({ keepAlive }) => keepAlive)).toEqual(['600', '600', '1']);
  await eventually('the idle ones to be closed', () => clients.every(({ socket }) => socket.closed));
  const later = await ask(served);
  expect([later.keepAlive, later.socket.closed]).toEqual(['600', false]);
  later.socket.destroy();
});

test('a crowded server is calm again only when a fifth of its connections is free', () => {
  const server = new Server();
  server.removeAllListeners('connection');
  server.keepAliveTimeout = 600_000;
  boundConnections(server, { maxConnections: 10, readerTimeoutMs: 600_000 });
  const sockets = Array.from({ length: 10 }, () => new Socket());
  const keepAliveMs = sockets.map((socket) => {
    server.emit('connection', socket);
    return server.keepAliveTimeout;
  });
  const later = sockets.map((socket) => {
    socket.emit('close');
    return server.keepAliveTimeout;
  });
  server.emit('close');
  expect(keepAliveMs).toEqual([...Array<number>(9).fill(600_000), 1_000]);
  expect(later).toEqual([1_000, ...Array<number>(9).fill(600_000)]);
});

/** Sends a request over a new connection, and returns how long the connection may be idle after the answer. */
async function ask(server: Served): Promise<{ socket: Socket; keepAlive: string | undefined }> {
  const socket = await server.connect();
  socket.write(`${REQUEST}\r\n`);
  let text = '';
  for await (const chunk of on(socket, 'data') as AsyncIterable<[Buffer]>) {
    text += chunk.toString();
    if (text.endsWith('answered')) break;
  }
  socket.resume();
  return { socket, keepAlive: /^Keep-Alive: timeout=(\d+)/m.exec(text)?.[1] };
}

/** Yields more bytes than the buffers of the system take. */
function* chunks(count: number): Generator<Buffer> {
  for (let made = 0; made < count; made += 1) yield CHUNK;
}
